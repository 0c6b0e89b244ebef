/* In place of the kernel headers' model of vectors, which needs registers that only emulated cores have. */
#error "npuninja-aie2 compiles scalar code only: the AIE API and vectors need emulated cores (--provider kernel=embedded) or Peano (--provider kernel=real)"
