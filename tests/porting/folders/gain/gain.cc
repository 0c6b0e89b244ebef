extern "C" void gain() {}
