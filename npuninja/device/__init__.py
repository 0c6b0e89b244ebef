"""Where a design runs: the emulated array, a real NPU through XRT, or nothing."""
