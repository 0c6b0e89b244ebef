print("module {}")
