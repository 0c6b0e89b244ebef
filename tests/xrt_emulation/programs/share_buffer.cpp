// share_buffer XCLBIN INSTS IN OUT: a process exports a buffer, another one imports it and has the NPU write IN there; the
// first one then writes what it finds in its buffer to OUT. Exit code 77 when the system does not let processes share.
#include <xrt/xrt_bo.h>
#include <xrt/xrt_device.h>
#include <xrt/xrt_hw_context.h>
#include <xrt/xrt_kernel.h>

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <system_error>
#include <vector>

static std::vector<char> content(const char *path) {
    std::ifstream stream(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

struct Design {
    xrt::device device{0};
    xrt::hw_context context;
    xrt::kernel kernel;

    explicit Design(const char *path) {
        xrt::xclbin xclbin{std::string(path)};
        device.register_xclbin(xclbin);
        context = xrt::hw_context(device, xclbin.get_uuid());
        kernel = xrt::kernel(context, "MLIR_AIE");
    }
};

static int import(char **words, pid_t exporter, xrt::bo::export_handle handle) {
    Design design(words[1]);
    std::vector<char> insts = content(words[2]), in = content(words[3]);
    xrt::bo code(design.device, insts.size(), XCL_BO_FLAGS_CACHEABLE, design.kernel.group_id(1));
    code.write(insts.data());
    code.sync(XCL_BO_SYNC_BO_TO_DEVICE);
    xrt::bo source(design.device, in.size(), XRT_BO_FLAGS_HOST_ONLY, design.kernel.group_id(3));
    source.write(in.data());
    source.sync(XCL_BO_SYNC_BO_TO_DEVICE);
    xrt::bo target;
    try {
        target = xrt::bo(design.device, xrt::pid_type{exporter}, handle);
    } catch (const std::system_error &error) {
        std::cerr << error.what() << std::endl;
        return error.code().value() == EPERM || error.code().value() == -EPERM ? 77 : 1;
    }
    if (target.size() != in.size()) return 2;
    xrt::run run = design.kernel(3, code, static_cast<unsigned>(insts.size() / 4), source, target);
    return run.wait(std::chrono::seconds(20)) == ERT_CMD_STATE_COMPLETED ? 0 : 3;
}

int main(int, char **words) {
    int channel[2];
    xrt::bo::export_handle handle;
    pid_t exporter = getpid();
    if (pipe(channel)) return 1;
    pid_t importer = fork();
    if (!importer) {
        close(channel[1]);
        _exit(read(channel[0], &handle, sizeof handle) == sizeof handle ? import(words, exporter, handle) : 1);
    }
    Design design(words[1]);
    size_t bytes = content(words[3]).size();
    xrt::bo target(design.device, bytes, XRT_BO_FLAGS_HOST_ONLY, design.kernel.group_id(4));
    handle = target.export_buffer();
    xrt::bo again(design.device, handle);
    std::cout << (again.address() == target.address() && again.size() == target.size()) << std::endl;
    if (write(channel[1], &handle, sizeof handle) != sizeof handle) return 1;
    int status;
    waitpid(importer, &status, 0);
    if (!WIFEXITED(status) || WEXITSTATUS(status)) return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
    target.sync(XCL_BO_SYNC_BO_FROM_DEVICE);
    std::ofstream(words[4], std::ios::binary).write(target.map<char *>(), bytes);
    return 0;
}
