"""Binary formats: CDO, PDI, XCLBIN, TXN, ELF and core images."""
