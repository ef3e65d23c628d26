// The functions of libc that change files, each with the plan around it.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io_recorder.h"

enum { kDescriptors = 1024 };

static char* watched[kDescriptors];  // descriptor -> path

// The next definition of a function, which is libc's.
#define REAL(name)                 \
    static __typeof__(name)* real; \
    if (!real) real = (__typeof__(name)*)dlsym(RTLD_NEXT, #name)

static const char* path_of(int fd) {
    return fd >= 0 && fd < kDescriptors ? watched[fd] : NULL;
}

// The absolute form of a path given relative to the working or another directory.
static const char* absolute(int folder, const char* path, char* buffer) {
    if (path[0] == '/') return path;
    char link[64], base[PATH_MAX];
    snprintf(link, sizeof link, folder == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/%d", folder);
    const ssize_t size = readlink(link, base, sizeof base - 1);
    if (size < 0) return path;
    base[size] = '\0';
    if (snprintf(buffer, PATH_MAX, "%s/%s", base, path) >= PATH_MAX) return path;
    return buffer;
}

static int fail(struct operation* operation, int error) {
    errno = error;
    end(operation, 1);
    return -1;
}

int openat(int folder, const char* path, int flags, ...) {
    REAL(openat);
    mode_t mode = 0;
    if (flags & (O_CREAT | O_TMPFILE)) {
        va_list arguments;
        va_start(arguments, flags);
        mode = va_arg(arguments, mode_t);
        va_end(arguments);
    }
    char buffer[PATH_MAX];
    const char* full = absolute(folder, path, buffer);
    if (!is_watched(full)) return real(folder, path, flags, mode);
    struct stat status;
    const int is_new = (flags & O_CREAT) && fstatat(AT_FDCWD, full, &status, 0) != 0;
    const int change = is_new ? 1 : flags & O_TRUNC ? 2 : 0;
    struct operation operation = {.kind = kOpen, .fd = -1, .path = full, .size = change};
    const int error = begin(&operation);
    if (error) return fail(&operation, error);
    const int fd = real(folder, path, flags, mode);
    operation.fd = fd;
    if (fd >= kDescriptors) abort();  // more than the table holds: enlarge it
    if (fd >= 0) watched[fd] = strdup(full);
    end(&operation, fd < 0);
    return fd;
}

int open(const char* path, int flags, ...) {
    mode_t mode = 0;
    if (flags & (O_CREAT | O_TMPFILE)) {
        va_list arguments;
        va_start(arguments, flags);
        mode = va_arg(arguments, mode_t);
        va_end(arguments);
    }
    return openat(AT_FDCWD, path, flags, mode);
}

int close(int fd) {
    REAL(close);
    const char* path = path_of(fd);
    if (!path) return real(fd);
    struct operation operation = {.kind = kClose, .fd = fd, .path = path};
    const int error = begin(&operation);
    const int result = real(fd);  // gone even where an error is told, as on Linux
    if (error) errno = error;
    watched[fd] = NULL;
    end(&operation, error || result != 0);
    free((void*)path);
    return error ? -1 : result;
}

ssize_t read(int fd, void* data, size_t size) {
    REAL(read);
    const char* path = path_of(fd);
    if (!path) return real(fd, data, size);
    struct operation operation = {.kind = kRead, .fd = fd, .path = path, .size = (int64_t)size};
    const int error = begin(&operation);
    if (error) return fail(&operation, error);
    const ssize_t done = real(fd, data, size);
    end(&operation, done < 0);
    return done;
}

ssize_t pread(int fd, void* data, size_t size, off_t offset) {
    REAL(pread);
    const char* path = path_of(fd);
    if (!path) return real(fd, data, size, offset);
    struct operation operation = {
        .kind = kRead, .fd = fd, .path = path, .offset = offset, .size = (int64_t)size};
    const int error = begin(&operation);
    if (error) return fail(&operation, error);
    const ssize_t done = real(fd, data, size, offset);
    end(&operation, done < 0);
    return done;
}

// What a short write does: half, at least one byte.
static size_t allowed(const struct operation* operation, size_t size) {
    return operation->fault && size > 1 ? size / 2 : size;
}

ssize_t write(int fd, const void* data, size_t size) {
    REAL(write);
    const char* path = path_of(fd);
    if (!path) return real(fd, data, size);
    struct operation operation = {
        .kind = kWrite, .fd = fd, .path = path, .data = data, .size = (int64_t)size};
    const int error = begin(&operation);
    if (error) return fail(&operation, error);
    const ssize_t done = real(fd, data, allowed(&operation, size));
    const int kept = errno;
    operation.offset = lseek(fd, 0, SEEK_CUR) - done;
    operation.size = done;
    errno = kept;
    end(&operation, done < 0);
    return done;
}

ssize_t pwrite(int fd, const void* data, size_t size, off_t offset) {
    REAL(pwrite);
    const char* path = path_of(fd);
    if (!path) return real(fd, data, size, offset);
    struct operation operation = {.kind = kWrite,
                                  .fd = fd,
                                  .path = path,
                                  .data = data,
                                  .offset = offset,
                                  .size = (int64_t)size};
    const int error = begin(&operation);
    if (error) return fail(&operation, error);
    operation.size = real(fd, data, allowed(&operation, size), offset);
    const ssize_t done = operation.size;
    end(&operation, done < 0);
    return done;
}

int ftruncate(int fd, off_t size) {
    REAL(ftruncate);
    const char* path = path_of(fd);
    if (!path) return real(fd, size);
    struct operation operation = {.kind = kTruncate, .fd = fd, .path = path, .size = size};
    const int error = begin(&operation);
    if (error) return fail(&operation, error);
    const int result = real(fd, size);
    end(&operation, result != 0);
    return result;
}

static int sync_with(int (*real)(int), int fd) {
    const char* path = path_of(fd);
    if (!path) return real(fd);
    if (skips_sync(path)) return 0;
    struct operation operation = {.kind = kSync, .fd = fd, .path = path};
    const int error = begin(&operation);
    if (error) return fail(&operation, error);
    const int result = real(fd);
    end(&operation, result != 0);
    return result;
}

int fsync(int fd) {
    REAL(fsync);
    return sync_with(real, fd);
}

int fdatasync(int fd) {
    REAL(fdatasync);
    return sync_with(real, fd);
}

int renameat(int from_folder, const char* from, int to_folder, const char* to) {
    REAL(renameat);
    char from_buffer[PATH_MAX], to_buffer[PATH_MAX];
    const char* old = absolute(from_folder, from, from_buffer);
    const char* new = absolute(to_folder, to, to_buffer);
    if (!is_watched(old) && !is_watched(new)) return real(from_folder, from, to_folder, to);
    struct operation operation = {.kind = kRename, .fd = -1, .path = old, .other = new};
    const int error = begin(&operation);
    if (error) return fail(&operation, error);
    const int result = real(from_folder, from, to_folder, to);
    end(&operation, result != 0);
    return result;
}

int rename(const char* from, const char* to) {
    return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

int unlinkat(int folder, const char* path, int flags) {
    REAL(unlinkat);
    char buffer[PATH_MAX];
    const char* full = absolute(folder, path, buffer);
    if (!is_watched(full)) return real(folder, path, flags);
    struct operation operation = {
        .kind = flags & AT_REMOVEDIR ? kRmdir : kUnlink, .fd = -1, .path = full};
    const int error = begin(&operation);
    if (error) return fail(&operation, error);
    const int result = real(folder, path, flags);
    end(&operation, result != 0);
    return result;
}

int unlink(const char* path) {
    return unlinkat(AT_FDCWD, path, 0);
}

int rmdir(const char* path) {
    return unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

int mkdirat(int folder, const char* path, mode_t mode) {
    REAL(mkdirat);
    char buffer[PATH_MAX];
    const char* full = absolute(folder, path, buffer);
    if (!is_watched(full)) return real(folder, path, mode);
    struct operation operation = {.kind = kMkdir, .fd = -1, .path = full};
    const int error = begin(&operation);
    if (error) return fail(&operation, error);
    const int result = real(folder, path, mode);
    end(&operation, result != 0);
    return result;
}

int mkdir(const char* path, mode_t mode) {
    return mkdirat(AT_FDCWD, path, mode);
}

// The names for files beyond 2 GB, which on 64-bit systems are the same functions.
int open64(const char*, int, ...) __attribute__((alias("open")));
int openat64(int, const char*, int, ...) __attribute__((alias("openat")));
ssize_t pread64(int, void*, size_t, off_t) __attribute__((alias("pread")));
ssize_t pwrite64(int, const void*, size_t, off_t) __attribute__((alias("pwrite")));
int ftruncate64(int, off_t) __attribute__((alias("ftruncate")));
