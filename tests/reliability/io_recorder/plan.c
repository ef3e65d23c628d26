// What was asked for, what has been counted, and the records.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "io_recorder.h"

static struct {
    char root[PATH_MAX];
    int trace;
    size_t data_max;
    int64_t kill_at, fault_at, fault_times;
    int kills_before, is_short, error;
    char fault_kinds[16], skip_sync[16];
    int is_disarmed, records_reads;
    int64_t recorded, counted;
} plan = {.trace = -1};

// One operation at a time: the order of the records is the order in which things happened.
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static int64_t number(const char* name, int64_t otherwise) {
    const char* text = getenv(name);
    return text && *text ? atoll(text) : otherwise;
}

static void copy(char* to, size_t size, const char* name) {
    const char* text = getenv(name);
    to[0] = '\0';
    if (text) strncat(to, text, size - 1);
}

static int error_named(const char* name) {
    if (!name) return 0;
    if (strcmp(name, "EIO") == 0) return EIO;
    if (strcmp(name, "ENOSPC") == 0) return ENOSPC;
    if (strcmp(name, "EINTR") == 0) return EINTR;
    return 0;
}

void io_start(void) {
    pthread_mutex_lock(&lock);
    if (plan.trace >= 0) close(plan.trace);
    copy(plan.root, sizeof plan.root, "IO_ROOT");
    const char* trace = getenv("IO_TRACE");
    plan.trace = trace && *trace
                     ? open(trace, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666)
                     : -1;
    plan.data_max = (size_t)number("IO_DATA", INT64_MAX);
    plan.kill_at = number("IO_KILL_AT", -1);
    const char* when = getenv("IO_KILL_WHEN");
    plan.kills_before = when && strcmp(when, "before") == 0;
    const char* fault = getenv("IO_FAULT");
    plan.is_short = fault && strcmp(fault, "SHORT") == 0;
    plan.error = error_named(fault);
    copy(plan.fault_kinds, sizeof plan.fault_kinds, "IO_FAULT_KINDS");
    plan.fault_at = number("IO_FAULT_AT", -1);
    plan.fault_times = number("IO_FAULT_TIMES", 1);
    copy(plan.skip_sync, sizeof plan.skip_sync, "IO_SKIP_SYNC");
    plan.is_disarmed = number("IO_DISARMED", 0) != 0;
    plan.records_reads = number("IO_READS", 0) != 0;
    plan.recorded = plan.counted = 0;
    pthread_mutex_unlock(&lock);
}

__attribute__((constructor)) static void start_when_asked(void) {
    if (getenv("IO_ROOT")) io_start();
}

int is_watched(const char* path) {
    const size_t root = strlen(plan.root), length = strlen(path);
    if (root == 0 || strncmp(path, plan.root, root) != 0) return 0;
    if (path[root] != '/' && path[root] != '\0') return 0;
    return length < 4 || strcmp(path + length - 4, "-shm") != 0;
}

int skips_sync(const char* path) {
    if (plan.skip_sync[0] == '\0') return 0;
    if (strcmp(plan.skip_sync, "all") == 0) return 1;
    struct stat status;
    const int is_directory = stat(path, &status) == 0 && S_ISDIR(status.st_mode);
    return is_directory == (strcmp(plan.skip_sync, "directory") == 0);
}

static void record(const struct operation* operation, int flags) {
    if (plan.trace < 0) return;
    struct record head = {
        .kind = (uint8_t)operation->kind,
        .flags = (uint8_t)flags,
        .path_size = (uint16_t)strlen(operation->path),
        .other_size = (uint16_t)(operation->other ? strlen(operation->other) : 0),
        .fd = operation->fd,
        .offset = operation->offset,
        .size = operation->size,
    };
    if (operation->data && operation->size > 0) {
        const size_t size = (size_t)operation->size;
        head.data_size = (uint32_t)(size < plan.data_max ? size : plan.data_max);
    }
    struct iovec parts[4] = {{&head, sizeof head},
                             {(void*)operation->path, head.path_size},
                             {(void*)operation->other, head.other_size},
                             {(void*)operation->data, head.data_size}};
    const size_t whole = sizeof head + head.path_size + head.other_size + head.data_size;
    if (writev(plan.trace, parts, 4) != (ssize_t)whole)
        abort();  // a trace with holes proves nothing
}

static void die(void) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

static int is_time_to_kill(int before) {
    return plan.recorded == plan.kill_at && plan.kills_before == before && !plan.is_disarmed;
}

static int is_to_fail(enum kind kind) {
    if (plan.fault_at < 0 || !strchr(plan.fault_kinds, kind)) return 0;
    const int64_t since = plan.counted++ - plan.fault_at;
    return since >= 0 && since < plan.fault_times && !plan.is_disarmed;
}

int begin(struct operation* operation) {
    pthread_mutex_lock(&lock);
    if (operation->kind != kRead && is_time_to_kill(1)) {
        record(operation, kKilledBefore);
        die();
    }
    operation->fault = is_to_fail(operation->kind) ? kFaulted : kDone;
    return operation->fault ? plan.error : 0;
}

void end(struct operation* operation, int failed) {
    const int error = errno;
    const int flags = (int)operation->fault | (failed ? kFailed : kDone);
    if (operation->kind != kRead) {
        const int is_last = is_time_to_kill(0);
        record(operation, flags | (is_last ? kKilledAfter : kDone));
        if (is_last) die();
        ++plan.recorded;
    } else if (operation->fault || plan.records_reads) {
        record(operation, flags);
    }
    pthread_mutex_unlock(&lock);
    errno = error;
}

void io_mark(const char* text) {
    struct operation operation = {.kind = kMark, .fd = -1, .path = text};
    pthread_mutex_lock(&lock);
    record(&operation, kDone);
    pthread_mutex_unlock(&lock);
}
