/* A connection to the server. */
#ifndef NPUNINJA_CONNECTION_H
#define NPUNINJA_CONNECTION_H

#include "wire.h"

#include <stddef.h>

/* A part of a message. */
struct part {
    void *data;
    uint32_t bytes;
};

/* A socket to the server, or -1 with errno. */
int connection_open(void);

/* Sends a request and waits for its reply, which overwrites `structure` and `pointed`.
 *
 * sent_fd goes with the request unless it is -1; *received_fd is the reply's descriptor or -1 (may be NULL).
 * Returns 0, or the errno of the reply, EIO when the server is gone. */
int connection_call(int socket, uint32_t operation, struct part structure, struct part pointed, int sent_fd,
                    int *received_fd);

/* Whether the server has closed its end. */
int connection_is_gone(int socket);

#endif
