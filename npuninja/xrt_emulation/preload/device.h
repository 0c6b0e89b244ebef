/* The emulated device file: descriptors that stand for /dev/accel/accel0. */
#ifndef NPUNINJA_DEVICE_H
#define NPUNINJA_DEVICE_H

/* Opens the device. Returns a descriptor, or -1 with errno. */
int device_open(void);

/* Tells the server that the program has opened the XCLBIN behind `fd`. */
void device_note_xclbin(int fd);

#endif
