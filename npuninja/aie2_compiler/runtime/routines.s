// What no compiler writes: locks, events, division by steps, the end of a core.
// Arguments and results are where RV32 has them (registers.py): r5 is the first argument, r6 the second.

// void __npuninja_acquire(unsigned lock, int value): waits in the instruction; below 0 for "at least".
.section .text.__npuninja_acquire
.globl __npuninja_acquire
.type __npuninja_acquire, @function
__npuninja_acquire:
  acq r5, r6
  ret lr
  nop
  nop
  nop
  nop
  nop

// void __npuninja_release(unsigned lock, int value). A part-word store before the call may write as late as
// the fourth bundle here; the lock must not be seen before that.
.section .text.__npuninja_release
.globl __npuninja_release
.type __npuninja_release, @function
__npuninja_release:
  nop
  nop
  nop
  nop
  rel r5, r6
  ret lr
  nop
  nop
  nop
  nop
  nop

// void __npuninja_event(int number): 0 or 1.
.section .text.__npuninja_event
.globl __npuninja_event
.type __npuninja_event, @function
__npuninja_event:
  jnz r5, .Levent1
  nop
  nop
  nop
  nop
  nop
  event #0
  ret lr
  nop
  nop
  nop
  nop
  nop
.Levent1:
  event #1
  ret lr
  nop
  nop
  nop
  nop
  nop

// struct { unsigned quotient, rest; } __npuninja_divide(unsigned a, unsigned b), b below 2^31: 32 steps.
.section .text.__npuninja_divide
.globl __npuninja_divide
.type __npuninja_divide, @function
__npuninja_divide:
  mov r31, r5
  movx r25, #0
@DIVIDE@
  ret lr
  mov r5, r31
  mov r6, r25
  nop
  nop
  nop
