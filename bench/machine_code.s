// Sums of products of 64 words, again and again: loads in a zero-overhead loop, a branch around it.
  .globl main
main:
  movxm r10, #40000
  movxm ls, #body
  movxm le, #last
  mova r4, #0
again:
  movxm p0, #0x71000
  movxm p1, #0x71400
  movxm lc, #64
  mova r4, #0
  nop
  nop
  nop
  nop
  nop
.align 16
body:
  lda r0, [p0], #4
  lda r1, [p1], #4
  add r4, r4, r2
  mul r2, r0, r1
  lshl r5, r4, r6
  xor r7, r7, r5
.align 16
last:
  nopb; nopa; nops; add r8, r8, #1; nopm; nopv
  add r10, r10, #-1
  jnz r10, #again
  st r4, [p0, #0]
  nop
  nop
  nop
  nop
  done
  nop
  nop
  nop
  nop
  nop
