#define _GNU_SOURCE
#include "connection.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int connection_open(void) {
    const char *name = getenv("NPUNINJA_EMU_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    /* An abstract address: no file to be left behind. */
    if (!name || strlen(name) > sizeof address.sun_path - 1) {
        errno = ENODEV;
        return -1;
    }
    memcpy(address.sun_path + 1, name, strlen(name));
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    socklen_t bytes = offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name);
    if (connect(fd, (struct sockaddr *)&address, bytes)) {
        close(fd);
        errno = ENODEV; /* what a device that has gone answers */
        return -1;
    }
    return fd;
}

static int receive_fd(struct msghdr *message) {
    struct cmsghdr *control = CMSG_FIRSTHDR(message);
    if (!control || control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS) return -1;
    int fd;
    memcpy(&fd, CMSG_DATA(control), sizeof fd);
    return fd;
}

int connection_call(int socket, uint32_t operation, struct part structure, struct part pointed, int sent_fd,
                    int *received_fd) {
    if (received_fd) *received_fd = -1;
    struct wire_request request = {operation, structure.bytes, pointed.bytes};
    if (sizeof request + structure.bytes > WIRE_MAX ||
        pointed.bytes > WIRE_MAX - sizeof request - structure.bytes)
        return E2BIG;
    struct iovec out[3] = {
        {&request, sizeof request}, {structure.data, structure.bytes}, {pointed.data, pointed.bytes}};
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control;
    struct msghdr message = {.msg_iov = out, .msg_iovlen = 3};
    if (sent_fd >= 0) {
        message.msg_control = &control;
        message.msg_controllen = sizeof control.space;
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof sent_fd);
        memcpy(CMSG_DATA(header), &sent_fd, sizeof sent_fd);
    }
    ssize_t done;
    do done = sendmsg(socket, &message, MSG_NOSIGNAL);
    while (done < 0 && errno == EINTR);
    if (done < 0) return EIO;

    struct wire_reply reply;
    struct iovec in[3] = {
        {&reply, sizeof reply}, {structure.data, structure.bytes}, {pointed.data, pointed.bytes}};
    message = (struct msghdr){.msg_iov = in, .msg_iovlen = 3};
    message.msg_control = &control;
    message.msg_controllen = sizeof control.space;
    do done = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    while (done < 0 && errno == EINTR);
    int fd = done > 0 ? receive_fd(&message) : -1;
    if (received_fd) *received_fd = fd;
    else if (fd >= 0) close(fd);
    if (done < (ssize_t)sizeof reply) return EIO;
    return reply.error;
}

int connection_is_gone(int socket) {
    struct pollfd state = {.fd = socket};
    return poll(&state, 1, 0) > 0 && state.revents & (POLLHUP | POLLERR);
}
