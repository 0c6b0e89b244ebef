// One file in place of an XCLBIN and instructions: its sequence `main:run` loads both configurations by itself.
//
//     whole_test FULL_ELF

#include <cstdint>
#include <iostream>

#include <xrt/experimental/xrt_elf.h>
#include <xrt/experimental/xrt_ext.h>
#include <xrt/xrt_bo.h>
#include <xrt/xrt_device.h>
#include <xrt/xrt_hw_context.h>
#include <xrt/xrt_kernel.h>

static constexpr int elements = 256;

int main(int count, char *words[]) {
    if (count != 2) {
        std::cerr << "usage: whole_test FULL_ELF\n";
        return 2;
    }
    xrt::device device{0};
    xrt::elf elf{words[1]};
    xrt::hw_context context{device, elf};
    xrt::ext::kernel kernel{context, "main:run"};
    xrt::bo buffers[] = {xrt::ext::bo{device, 4 * elements}, xrt::ext::bo{device, 4 * elements},
                         xrt::ext::bo{device, 4 * elements}};
    auto *given = buffers[0].map<std::int32_t *>();
    for (int i = 0; i < elements; i++) given[i] = 3 * i - 100;
    for (auto &buffer : buffers) buffer.sync(XCL_BO_SYNC_BO_TO_DEVICE);

    xrt::run run{kernel};
    for (int i = 0; i < 3; i++) run.set_arg(i, buffers[i]);
    run.start();
    run.wait2();

    for (auto &buffer : buffers) buffer.sync(XCL_BO_SYNC_BO_FROM_DEVICE);
    const auto *doubled = buffers[1].map<std::int32_t *>(), *result = buffers[2].map<std::int32_t *>();
    for (int i = 0; i < elements; i++)
        if (doubled[i] != 2 * given[i] || result[i] != 2 * given[i] - 7) {
            std::cerr << "wrong at " << i << ": " << doubled[i] << ", " << result[i] << "\n";
            return 1;
        }
    std::cout << "PASS!\n";
    return 0;
}
