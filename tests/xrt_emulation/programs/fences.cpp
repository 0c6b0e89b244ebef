// fences XCLBIN INSTS IN: a run waits for a fence that another process signals, and signals a fence itself when it has ended.
// Prints what it sees. Exit code 77 when the system does not let processes share.
#include <xrt/experimental/xrt_fence.h>
#include <xrt/xrt_bo.h>
#include <xrt/xrt_device.h>
#include <xrt/xrt_hw_context.h>
#include <xrt/xrt_kernel.h>

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <system_error>
#include <vector>

using namespace std::chrono_literals;

static std::vector<char> content(const char *path) {
    std::ifstream stream(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

static long long now() { return std::chrono::steady_clock::now().time_since_epoch().count(); }

// Imports the fence of the other process and says so; signals it after a while and tells when.
static int signal_from_here(int in, int out, pid_t other) {
    xrt::fence::export_handle handle;
    if (read(in, &handle, sizeof handle) != sizeof handle) return 1;
    xrt::device device(0);
    try {
        xrt::fence fence(device, xrt::pid_type{other}, handle);
        if (write(out, "i", 1) != 1) return 1;
        usleep(100000);
        long long then = now();
        if (write(out, &then, sizeof then) != sizeof then) return 1;
        fence.signal();
    } catch (const std::system_error &error) {
        std::cerr << error.what() << std::endl;
        return error.code().value() == EPERM || error.code().value() == -EPERM ? 77 : 1;
    }
    return 0;
}

int main(int, char **words) {
    int there[2], back[2];
    pid_t here = getpid();
    if (pipe(there) || pipe(back)) return 1;
    pid_t helper = fork();
    if (!helper) {
        close(there[1]);
        _exit(signal_from_here(there[0], back[1], here));
    }
    close(back[1]);
    xrt::device device(0);
    xrt::xclbin xclbin{std::string(words[1])};
    device.register_xclbin(xclbin);
    xrt::hw_context context(device, xclbin.get_uuid());
    xrt::kernel kernel(context, "MLIR_AIE");
    std::vector<char> insts = content(words[2]), in = content(words[3]);
    xrt::bo code(device, insts.size(), XCL_BO_FLAGS_CACHEABLE, kernel.group_id(1));
    code.write(insts.data());
    code.sync(XCL_BO_SYNC_BO_TO_DEVICE);
    xrt::bo source(device, in.size(), XRT_BO_FLAGS_HOST_ONLY, kernel.group_id(3));
    xrt::bo target(device, in.size(), XRT_BO_FLAGS_HOST_ONLY, kernel.group_id(4));
    source.write(in.data());
    source.sync(XCL_BO_SYNC_BO_TO_DEVICE);

    xrt::fence before(device, xrt::fence::access_mode::process), after(device, xrt::fence::access_mode::local);
    xrt::fence waited_for(after); // an object either signals or waits
    auto handle = before.export_fence();
    if (write(there[1], &handle, sizeof handle) != sizeof handle) return 1;
    char imported;
    if (read(back[0], &imported, 1) != 1) {
        int status;
        waitpid(helper, &status, 0);
        return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
    }
    xrt::run run(kernel);
    run.set_arg(0, 3);
    run.set_arg(1, code);
    run.set_arg(2, static_cast<unsigned>(insts.size() / 4));
    run.set_arg(3, source);
    run.set_arg(4, target);
    run.submit_wait(before);
    run.start(); // XRT's shim comes back when the command is with the driver
    long long started = now(), then;
    if (read(back[0], &then, sizeof then) != sizeof then) return 1;
    std::cout << (started >= then ? "waited" : "too early") << std::endl;
    run.submit_signal(after);
    std::cout << (waited_for.wait(20s) == std::cv_status::no_timeout ? "signalled" : "not signalled") << std::endl;
    std::cout << (run.state() == ERT_CMD_STATE_COMPLETED ? "completed" : "not completed") << std::endl;
    waitpid(helper, nullptr, 0);
    target.sync(XCL_BO_SYNC_BO_FROM_DEVICE);
    std::cout << (std::equal(in.begin(), in.end(), target.map<char *>()) ? "right" : "wrong") << std::endl;
}
