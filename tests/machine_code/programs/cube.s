// The core of conformance/new_plain_fifo without its kernel's compiler: 44 words cubed, two buffers in turn.
  .globl core_0_2
core_0_2:
  paddb [sp], #32
  movx r16, #-1
  movx r17, #1
next:
  movxm p0, #ni_cons_buff_0
  movxm p1, #no_buff_0
  jl #once
  nop
  nop
  nop
  nop
  nop
  movxm p0, #ni_cons_buff_1
  movxm p1, #no_buff_1
  jl #once
  nop
  nop
  nop
  nop
  nop
  j #next
  nop
  nop
  nop
  nop
  nop

once:
  acq #49, r16
  acq #50, r16
  movx r1, #44
  mov p2, lr
word:
  lda r0, [p0], #4
  add r1, r1, #-1
  nop
  nop
  nop
  nop
  nop
  mul r2, r0, r0
  nop
  mul r2, r2, r0
  jnz r1, #word
  st r2, [p1], #4
  nop
  nop
  nop
  nop
  rel #48, r17
  rel #51, r17
  nop
  nop
  nop
  j p2
  nop
  nop
  nop
  nop
  nop
