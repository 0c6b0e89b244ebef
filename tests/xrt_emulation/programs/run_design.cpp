// run_design XCLBIN INSTS IN OUT BYTES: runs a design with one input and one output of BYTES bytes, from and to files.
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
    xrt::xclbin xclbin(content(words[1]));
    device.register_xclbin(xclbin);
    xrt::hw_context context(device, xclbin.get_uuid());
    xrt::kernel kernel(context, "MLIR_AIE");
    std::vector<char> insts = content(words[2]), in = content(words[3]);
    size_t bytes = std::stoul(words[5]);
    xrt::bo code(device, insts.size(), XCL_BO_FLAGS_CACHEABLE, kernel.group_id(1));
    xrt::bo source(device, bytes, XRT_BO_FLAGS_HOST_ONLY, kernel.group_id(3));
    xrt::bo target(device, bytes, XRT_BO_FLAGS_HOST_ONLY, kernel.group_id(4));
    code.write(insts.data());
    code.sync(XCL_BO_SYNC_BO_TO_DEVICE);
    source.write(in.data());
    source.sync(XCL_BO_SYNC_BO_TO_DEVICE);
    xrt::run run = kernel(3, code, static_cast<unsigned>(insts.size() / 4), source, target);
    std::cout << run.wait(std::chrono::seconds(20)) << std::endl;
    target.sync(XCL_BO_SYNC_BO_FROM_DEVICE);
    std::ofstream(words[4], std::ios::binary).write(target.map<char *>(), bytes);
}
