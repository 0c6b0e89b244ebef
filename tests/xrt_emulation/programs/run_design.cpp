// run_design XCLBIN INSTS FILE…: runs a design twice on the files, one for each argument, which then hold what its buffers hold.
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

int main(int count, char **words) {
    xrt::device device(0);
    xrt::xclbin xclbin(content(words[1]));
    device.register_xclbin(xclbin);
    xrt::hw_context context(device, xclbin.get_uuid());
    xrt::kernel kernel(context, "MLIR_AIE");
    std::vector<char> insts = content(words[2]);
    xrt::bo code(device, insts.size(), XCL_BO_FLAGS_CACHEABLE, kernel.group_id(1));
    code.write(insts.data());
    code.sync(XCL_BO_SYNC_BO_TO_DEVICE);

    std::vector<std::vector<char>> data;
    std::vector<xrt::bo> buffers;
    xrt::run run(kernel);
    run.set_arg(0, 3);
    run.set_arg(1, code);
    run.set_arg(2, static_cast<unsigned>(insts.size() / 4));
    for (int argument = 0; argument < count - 3; argument++) {
        data.push_back(content(words[3 + argument]));
        buffers.emplace_back(device, data.back().size(), XRT_BO_FLAGS_HOST_ONLY, kernel.group_id(3 + argument));
        run.set_arg(3 + argument, buffers.back());
    }
    for (int time = 0; time < 2; time++) {
        for (size_t argument = 0; argument < buffers.size(); argument++) {
            buffers[argument].write(data[argument].data(), data[argument].size(), 0);
            buffers[argument].sync(XCL_BO_SYNC_BO_TO_DEVICE);
        }
        run.start();
        std::cout << run.wait(std::chrono::seconds(20)) << std::endl;
    }
    for (size_t argument = 0; argument < buffers.size(); argument++) {
        buffers[argument].sync(XCL_BO_SYNC_BO_FROM_DEVICE);
        std::ofstream stream(words[3 + argument], std::ios::binary);
        stream.write(buffers[argument].map<char *>(), data[argument].size());
    }
}
