// run_elf XCLBIN ELF IN OUT: runs a design whose instructions are an ELF, twice, with other buffers the second time.
#include <xrt/experimental/xrt_elf.h>
#include <xrt/experimental/xrt_ext.h>
#include <xrt/experimental/xrt_module.h>
#include <xrt/xrt_bo.h>
#include <xrt/xrt_device.h>
#include <xrt/xrt_hw_context.h>
#include <xrt/xrt_kernel.h>

#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

static std::vector<char> content(const char *path) {
    std::ifstream stream(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

int main(int, char **words) {
    xrt::device device(0);
    xrt::xclbin xclbin{std::string(words[1])};
    device.register_xclbin(xclbin);
    xrt::hw_context context(device, xclbin.get_uuid());
    xrt::elf elf{std::string(words[2])};
    xrt::module module{elf};
    xrt::ext::kernel kernel(context, module, "MLIR_AIE");
    std::vector<char> data = content(words[3]);
    for (int time = 0; time < 2; time++) {
        xrt::bo in = xrt::ext::bo{device, data.size()}, out = xrt::ext::bo{device, data.size()};
        for (size_t byte = 0; byte < data.size(); byte++) in.map<char *>()[byte] = data[byte] + time;
        in.sync(XCL_BO_SYNC_BO_TO_DEVICE);
        auto run = kernel(3, 0, 0, in, out);
        std::cout << run.wait(std::chrono::seconds(20)) << std::endl;
        out.sync(XCL_BO_SYNC_BO_FROM_DEVICE);
        std::ofstream stream(std::string(words[4]) + std::to_string(time), std::ios::binary);
        stream.write(out.map<char *>(), data.size());
    }
}
