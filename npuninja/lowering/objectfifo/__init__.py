"""ObjectFifos to buffers, locks, DMA programs and flows."""
