print("a host program")
