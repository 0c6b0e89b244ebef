extern "C" void offset() {}
