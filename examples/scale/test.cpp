// test -x XCLBIN -i INSTS -k KERNEL: runs the design on 4,096 numbers and compares.
#include <xrt/xrt_bo.h>
#include <xrt/xrt_device.h>
#include <xrt/xrt_hw_context.h>
#include <xrt/xrt_kernel.h>

#include <cstdint>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

int main(int count, char **words) {
  std::map<std::string, std::string> options;
  for (int word = 1; word + 1 < count; word += 2) options[words[word]] = words[word + 1];
  std::ifstream stream(options["-i"], std::ios::binary);
  std::vector<char> insts{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};

  xrt::device device(0);
  xrt::xclbin xclbin{options["-x"]};
  device.register_xclbin(xclbin);
  xrt::hw_context context(device, xclbin.get_uuid());
  xrt::kernel kernel(context, options["-k"]);

  const size_t elements = 4096, bytes = elements * sizeof(int16_t);
  xrt::bo code(device, insts.size(), XCL_BO_FLAGS_CACHEABLE, kernel.group_id(1));
  xrt::bo in(device, bytes, XRT_BO_FLAGS_HOST_ONLY, kernel.group_id(3));
  xrt::bo out(device, bytes, XRT_BO_FLAGS_HOST_ONLY, kernel.group_id(4));
  std::memcpy(code.map<void *>(), insts.data(), insts.size());
  for (size_t i = 0; i < elements; i++) in.map<int16_t *>()[i] = static_cast<int16_t>(i - 2048);
  code.sync(XCL_BO_SYNC_BO_TO_DEVICE);
  in.sync(XCL_BO_SYNC_BO_TO_DEVICE);

  auto run = kernel(3, code, static_cast<unsigned>(insts.size() / sizeof(int)), in, out);
  if (run.wait(std::chrono::seconds(20)) != ERT_CMD_STATE_COMPLETED) return std::cout << "the run did not complete\n", 1;
  out.sync(XCL_BO_SYNC_BO_FROM_DEVICE);
  int wrong = 0;
  for (size_t i = 0; i < elements; i++)
    wrong += out.map<int16_t *>()[i] != static_cast<int16_t>(in.map<int16_t *>()[i] * FACTOR);
  std::cout << (wrong ? "FAIL: " + std::to_string(wrong) + " wrong" : std::string("PASS!")) << std::endl;
  return wrong != 0;
}
