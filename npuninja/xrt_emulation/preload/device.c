/* The emulated device file. Its descriptor is the memory that holds all buffers of the NPU, so that the
 * driver's offsets for mmap are offsets in it; ioctls go to the server, but for waiting, which needs no
 * message. */
#define _GNU_SOURCE
#include "device.h"

#include "amdxdna.h"
#include "connection.h"
#include "next.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define PAGE_MASK 4095ull
/* How often a waiting thread looks whether the server still lives. */
#define LOOK_NS 100000000ll

/* A part of the device's memory that the program has mapped. */
struct mapping {
    struct mapping *next;
    uint64_t offset, bytes, address;
};

struct device {
    struct device *next;
    int fd;
    ino_t inode;      /* of the memory, to tell our descriptor from a later one of the same number */
    int socket;
    pid_t owner;      /* a forked child has no device */
    pthread_mutex_t busy; /* held from request to reply */
    volatile uint32_t *ended; /* by context: the last command that has ended */
    uint64_t *timelines;      /* by place: how far it is */
    struct mapping *mappings;
};

static pthread_mutex_t devices_lock = PTHREAD_MUTEX_INITIALIZER;
static struct device *devices;

static void *next_mmap(void *address, size_t bytes, int protection, int flags, int fd, off_t offset) {
    NEXT(real, "mmap", void *, void *, size_t, int, int, int, off_t)
    return real(address, bytes, protection, flags, fd, offset);
}

static int next_close(int fd) {
    NEXT(real, "close", int, int)
    return real(fd);
}

/* The device behind a descriptor, or NULL. */
static struct device *device_of(int fd) {
    struct device *found = NULL;
    if (!__atomic_load_n(&devices, __ATOMIC_ACQUIRE)) return NULL;
    pthread_mutex_lock(&devices_lock);
    for (struct device *d = devices; d && !found; d = d->next)
        if (d->fd == fd) found = d;
    pthread_mutex_unlock(&devices_lock);
    struct stat state;
    return found && !fstat(fd, &state) && state.st_ino == found->inode ? found : NULL;
}

int device_open(void) {
    int socket = connection_open();
    if (socket < 0) return -1;
    struct wire_open open = {.version = WIRE_VERSION};
    int memory;
    int error = connection_call(socket, WIRE_OPEN, (struct part){&open, sizeof open}, (struct part){NULL, 0},
                                -1, &memory);
    struct stat state;
    struct device *device = NULL;
    if (!error && (memory < 0 || fstat(memory, &state))) error = EIO;
    if (!error && !(device = calloc(1, sizeof *device))) error = ENOMEM;
    if (!error) {
        void *page = next_mmap(NULL, WIRE_CONTEXTS * 4, PROT_READ, MAP_SHARED, memory, (off_t)open.words);
        void *numbers = next_mmap(
            NULL, WIRE_TIMELINES * 8, PROT_READ | PROT_WRITE, MAP_SHARED, memory, (off_t)open.timelines);
        if (page == MAP_FAILED || numbers == MAP_FAILED) {
            error = errno;
            if (page != MAP_FAILED) munmap(page, WIRE_CONTEXTS * 4);
        } else {
            device->ended = page;
            device->timelines = numbers;
        }
    }
    if (error) {
        free(device);
        if (memory >= 0) next_close(memory);
        next_close(socket);
        errno = error;
        return -1;
    }
    device->fd = memory;
    device->inode = state.st_ino;
    device->socket = socket;
    device->owner = getpid();
    pthread_mutex_init(&device->busy, NULL);
    pthread_mutex_lock(&devices_lock);
    device->next = devices;
    __atomic_store_n(&devices, device, __ATOMIC_RELEASE);
    pthread_mutex_unlock(&devices_lock);
    return memory;
}

void device_note_xclbin(int fd) {
    int socket = connection_open();
    if (socket < 0) return;
    connection_call(socket, WIRE_XCLBIN, (struct part){NULL, 0}, (struct part){NULL, 0}, fd, NULL);
    next_close(socket);
}

HOOK int close(int fd) {
    struct device *device = device_of(fd);
    if (device) {
        pthread_mutex_lock(&devices_lock);
        for (struct device **d = &devices; *d; d = &(*d)->next)
            if (*d == device) {
                *d = device->next;
                break;
            }
        pthread_mutex_unlock(&devices_lock);
        next_close(device->socket);
        munmap((void *)device->ended, WIRE_CONTEXTS * 4);
        munmap(device->timelines, WIRE_TIMELINES * 8);
        for (struct mapping *m = device->mappings, *next; m; m = next) {
            next = m->next;
            free(m);
        }
        free(device);
    }
    return next_close(fd);
}

/* --- Memory. */

static void note_mapping(struct device *device, uint64_t address, uint64_t bytes, uint64_t offset) {
    struct mapping *mapping = malloc(sizeof *mapping);
    if (!mapping) return;
    *mapping = (struct mapping){.offset = offset, .bytes = bytes, .address = address};
    pthread_mutex_lock(&device->busy);
    mapping->next = device->mappings;
    device->mappings = mapping;
    pthread_mutex_unlock(&device->busy);
}

/* Where the program sees an offset of the memory, or 0. The newest mapping counts. */
static uint64_t address_of(struct device *device, uint64_t offset) {
    for (struct mapping *m = device->mappings; m; m = m->next)
        if (offset >= m->offset && offset - m->offset < m->bytes) return m->address + (offset - m->offset);
    return 0;
}

#define MMAP(name)                                                                                      \
    HOOK void *name(void *address, size_t bytes, int protection, int flags, int fd, off_t offset) {     \
        struct device *device = flags & MAP_ANONYMOUS ? NULL : device_of(fd);                           \
        /* The driver pins buffers for the NPU; here nothing needs that, and the limit is often low. */ \
        if (device) flags &= ~MAP_LOCKED;                                                               \
        void *result = next_mmap(address, bytes, protection, flags, fd, offset);                        \
        if (device && result != MAP_FAILED) note_mapping(device, (uintptr_t)result, bytes, offset);     \
        return result;                                                                                  \
    }
MMAP(mmap)
MMAP(mmap64)

/* Puts a buffer's memory in the place of pages that the program already uses, with their content. */
static int replace_pages(struct device *device, uint64_t address, uint64_t bytes, uint64_t offset) {
    uint64_t whole = (bytes + PAGE_MASK) & ~PAGE_MASK;
    if (address & PAGE_MASK) return EINVAL;
    void *copy = next_mmap(NULL, whole, PROT_READ | PROT_WRITE, MAP_SHARED, device->fd, offset);
    if (copy == MAP_FAILED) return errno;
    memcpy(copy, (void *)(uintptr_t)address, whole);
    munmap(copy, whole);
    void *there = next_mmap((void *)(uintptr_t)address, whole, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
                            device->fd, offset);
    return there == MAP_FAILED ? errno : 0;
}

/* --- Commands. */

static int call(struct device *device, uint32_t operation, struct part structure, struct part pointed) {
    pthread_mutex_lock(&device->busy);
    int error = connection_call(device->socket, operation, structure, pointed, -1, NULL);
    pthread_mutex_unlock(&device->busy);
    return error;
}

static int64_t monotonic_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000ll + now.tv_nsec;
}

/* Sleeps while a word is what was seen, a short time at most. 0, or ETIME after the deadline, EIO when the
 * server has gone. */
static int sleep_while(struct device *device, const volatile uint32_t *word, uint32_t seen,
                       int64_t deadline_ns) {
    int64_t left = deadline_ns == INT64_MAX ? LOOK_NS : deadline_ns - monotonic_ns();
    if (left <= 0) return ETIME;
    if (left > LOOK_NS) left = LOOK_NS;
    struct timespec time = {.tv_sec = left / 1000000000ll, .tv_nsec = left % 1000000000ll};
    long result = syscall(SYS_futex, word, FUTEX_WAIT, seen, &time, NULL, 0);
    return result && errno == ETIMEDOUT && connection_is_gone(device->socket) ? EIO : 0;
}

/* Waits until a context has ended a command; deadline INT64_MAX: no limit. */
static int wait_for(struct device *device, uint32_t context, uint64_t seq, int64_t deadline_ns) {
    if (context >= WIRE_CONTEXTS) return EINVAL;
    volatile uint32_t *word = &device->ended[context];
    for (;;) {
        uint32_t seen = __atomic_load_n(word, __ATOMIC_ACQUIRE);
        if ((int32_t)(seen - (uint32_t)seq) >= 0) return 0;
        int error = sleep_while(device, word, seen, deadline_ns);
        if (error) return error;
    }
}

static int wait_command(struct device *device, const struct wait_cmd *wait) {
    int64_t deadline = wait->timeout_ms ? monotonic_ns() + wait->timeout_ms * 1000000ll : INT64_MAX;
    return wait_for(device, wait->hwctx, wait->seq, deadline);
}

static uint64_t *timeline_of(struct device *device, uint32_t handle) {
    uint32_t place = handle - WIRE_CONTEXTS;
    return handle >= WIRE_CONTEXTS && place < WIRE_TIMELINES ? &device->timelines[place] : NULL;
}

/* A context's timeline has the context's number, and its points are the numbers of its commands. */
static int wait_timeline(struct device *device, struct timeline_wait *wait) {
    const uint32_t *handles = (const void *)(uintptr_t)wait->handles_pointer;
    const uint64_t *points = (const void *)(uintptr_t)wait->points_pointer;
    if (wait->handles != 1 || !handles || !points) return EOPNOTSUPP;
    wait->first_signaled = 0;
    uint64_t *timeline = timeline_of(device, handles[0]);
    if (!timeline) return wait_for(device, handles[0], points[0], wait->timeout_ns);
    for (;;) {
        uint64_t seen = __atomic_load_n(timeline, __ATOMIC_ACQUIRE);
        if (seen >= points[0]) return 0;
        int error = sleep_while(device, (volatile uint32_t *)timeline, (uint32_t)seen, wait->timeout_ns);
        if (error) return error;
    }
}

static int signal_timelines(struct device *device, const struct timeline_array *signal) {
    const uint32_t *handles = (const void *)(uintptr_t)signal->handles_pointer;
    const uint64_t *points = (const void *)(uintptr_t)signal->points_pointer;
    if (!signal->handles || !handles || !points) return EINVAL;
    for (uint32_t i = 0; i < signal->handles; i++) {
        uint64_t *timeline = timeline_of(device, handles[i]);
        if (!timeline) return ENOENT;
        uint64_t seen = __atomic_load_n(timeline, __ATOMIC_ACQUIRE);
        while (seen < points[i] && !__atomic_compare_exchange_n(
                                       timeline, &seen, points[i], 0, __ATOMIC_RELEASE, __ATOMIC_ACQUIRE)) {}
        /* Little-endian, as all that XRT runs on: the word to wait for is the number's lower half. */
        syscall(SYS_futex, timeline, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
    }
    return 0;
}

static struct part at(uint64_t pointer, uint64_t bytes) {
    /* What is too long for a message is refused when it is sent. */
    return (struct part){(void *)(uintptr_t)pointer,
                         pointer ? (uint32_t)(bytes < WIRE_MAX ? bytes : WIRE_MAX) : 0};
}

static int create_bo(struct device *device, struct create_bo *bo) {
    struct part structure = {bo, sizeof *bo};
    const struct address_table *table = (const void *)(uintptr_t)bo->table_pointer;
    if (!table) return call(device, NR_CREATE_BO, structure, at(0, 0));
    /* Memory of the program, in one piece. */
    const struct address_entry *entry = (const void *)(table + 1);
    if (table->entries != 1) return EOPNOTSUPP;
    uint64_t offset = 0;
    bo->size = entry->bytes;
    int error = call(device, NR_CREATE_BO, structure, (struct part){&offset, sizeof offset});
    return error ? error : replace_pages(device, entry->address, entry->bytes, offset);
}

static int bo_info(struct device *device, struct get_bo_info *info) {
    int error = call(device, NR_GET_BO_INFO, (struct part){info, sizeof *info}, at(0, 0));
    if (error || !info->address) return error;
    /* A buffer inside the heap: the server tells its offset, and only here is known where the heap is
     * mapped. */
    pthread_mutex_lock(&device->busy);
    info->address = address_of(device, info->address);
    pthread_mutex_unlock(&device->busy);
    return info->address ? 0 : EINVAL;
}

static int execute(struct device *device, struct exec_cmd *exec) {
    uint32_t single = (uint32_t)exec->commands_pointer;
    struct part commands = {&single, sizeof single};
    if (exec->commands != 1) commands = at(exec->commands_pointer, 4ull * exec->commands);
    return call(device, NR_EXEC_CMD, (struct part){exec, sizeof *exec}, commands);
}

/* A buffer or a timeline as a descriptor that can be given to others, and back; `fd` is in the structure. */
static int export_fd(struct device *device, uint32_t number, struct part structure, int32_t *fd) {
    pthread_mutex_lock(&device->busy);
    int received, error = connection_call(device->socket, number, structure, at(0, 0), -1, &received);
    pthread_mutex_unlock(&device->busy);
    if (!error && received < 0) error = EIO;
    *fd = error ? -1 : received;
    return error;
}

static int import_fd(struct device *device, uint32_t number, struct part structure, int32_t *fd) {
    int sent = *fd;
    if (fcntl(sent, F_GETFD) < 0) return EBADF;
    pthread_mutex_lock(&device->busy);
    int error = connection_call(device->socket, number, structure, at(0, 0), sent, NULL);
    pthread_mutex_unlock(&device->busy);
    *fd = sent;
    return error;
}

static int dispatch(struct device *device, unsigned long request, void *argument) {
    uint32_t number = _IOC_NR(request);
    struct part structure = {argument, _IOC_SIZE(request)};
    switch (number) {
    case NR_PRIME_HANDLE_TO_FD:
        return export_fd(device, number, structure, &((struct prime_handle *)argument)->fd);
    case NR_PRIME_FD_TO_HANDLE:
        return import_fd(device, number, structure, &((struct prime_handle *)argument)->fd);
    case NR_SYNCOBJ_HANDLE_TO_FD:
        return export_fd(device, number, structure, &((struct syncobj_handle *)argument)->fd);
    case NR_SYNCOBJ_FD_TO_HANDLE:
        return import_fd(device, number, structure, &((struct syncobj_handle *)argument)->fd);
    case NR_SYNCOBJ_TIMELINE_SIGNAL: return signal_timelines(device, argument);
    case NR_CREATE_HWCTX:
        return call(device, number, structure, at(((struct create_hwctx *)argument)->qos_pointer, QOS_BYTES));
    case NR_CONFIG_HWCTX: {
        struct config_hwctx *config = argument;
        return call(device, number, structure, at(config->value_pointer, config->value_bytes));
    }
    case NR_CREATE_BO: return create_bo(device, argument);
    case NR_GET_BO_INFO: return bo_info(device, argument);
    case NR_EXEC_CMD: return execute(device, argument);
    case NR_WAIT_CMD: return wait_command(device, argument);
    case NR_SYNCOBJ_TIMELINE_WAIT: return wait_timeline(device, argument);
    case NR_GET_INFO:
    case NR_SET_STATE: {
        struct get_info *info = argument;
        return call(device, number, structure, at(info->pointer, info->bytes));
    }
    case NR_GET_ARRAY: {
        struct get_array *array = argument;
        return call(device, number, structure,
                    at(array->pointer, (uint64_t)array->element_bytes * array->elements));
    }
    default: return call(device, number, structure, at(0, 0));
    }
}

HOOK int ioctl(int fd, unsigned long request, ...) {
    NEXT(real, "ioctl", int, int, unsigned long, ...)
    va_list rest;
    va_start(rest, request);
    void *argument = va_arg(rest, void *);
    va_end(rest);
    struct device *device = _IOC_TYPE(request) == DRM_TYPE ? device_of(fd) : NULL;
    if (!device) return real(fd, request, argument);
    int error = device->owner == getpid() ? dispatch(device, request, argument) : ENODEV;
    if (!error) return 0;
    errno = error;
    return -1;
}
