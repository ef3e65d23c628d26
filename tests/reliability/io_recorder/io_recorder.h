/// Stands between a program and libc (LD_PRELOAD): records what is done to the files below one
/// folder, ends the process at a chosen operation, or lets a chosen operation fail.
///
/// Settings are environment variables, read by `io_start` (called when the library is loaded and
/// IO_ROOT is set; a forked child calls it again after it has set its own):
///
///   IO_ROOT          the folder; without it nothing is watched. Files ending in "-shm" are left
///   out:
///                    SQLite's shared memory is not kept across a crash.
///   IO_TRACE         the file that gets a record per operation, see `struct record`
///   IO_DATA          bytes of each write that go into its record; default: all
///   IO_READS         1: reads are recorded, too (without a number that IO_KILL_AT could name)
///   IO_KILL_AT       the number of the recorded operation, from 0, at which SIGKILL comes
///   IO_KILL_WHEN     "before" or "after" it
///   IO_FAULT         "EIO", "ENOSPC", "EINTR" or "SHORT" (half of a write is done)
///   IO_FAULT_KINDS   letters of the kinds that may fail, e.g. "WS" for writes and syncs
///   IO_FAULT_AT      the number, from 0, of the first operation of these kinds that fails
///   IO_FAULT_TIMES   how many fail from there on; default 1
///   IO_SKIP_SYNC     "file", "directory" or "all": syncs that are neither done nor recorded
///   IO_DISARMED      count, but neither kill nor fail
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum kind {
    kOpen = 'O',      // size 1: the file was made by it, 2: it was emptied
    kRead = 'R',      // recorded only where it was made to fail, or with IO_READS
    kWrite = 'W',     // offset and size in bytes
    kTruncate = 'T',  // size: the new length
    kSync = 'S',      // fsync, fdatasync
    kRename = 'N',    // path, then other
    kUnlink = 'U',
    kMkdir = 'M',
    kRmdir = 'D',
    kClose = 'C',
    kMark = 'K',  // path: a text of the program's own
};

enum flag {
    kDone = 0,
    kKilledBefore = 1,  // the operation was not carried out
    kKilledAfter = 2,
    kFaulted = 4,  // it failed, or did half, because it was told to
    kFailed = 8,   // the system said no
};

/// Precedes path, other and data (`data_size` bytes) in the trace; native byte order.
struct record {
    uint8_t kind;
    uint8_t flags;
    uint16_t path_size;
    uint16_t other_size;
    uint16_t unused;
    int32_t fd;
    uint32_t data_size;
    int64_t offset;
    int64_t size;
};

struct operation {
    enum kind kind;
    int fd;
    const char* path;
    const char* other;
    const void* data;
    int64_t offset;
    int64_t size;
    enum flag fault;
};

/// Reads the settings and begins to count from 0.
void io_start(void);
/// Puts a text among the records.
void io_mark(const char* text);

/// Whether a path is IO_ROOT or lies below it, and is no shared memory.
int is_watched(const char* path);
/// Whether syncs of this path are to be left out.
int skips_sync(const char* path);

/// Takes the lock that `end` gives back; may kill. Returns the error to fail with, or 0;
/// with IO_FAULT=SHORT sets `fault` and leaves it to the caller to do half.
int begin(struct operation* operation);
/// Records an operation and may kill; `errno` stays as it was. `failed`: it returned an error.
void end(struct operation* operation, int failed);
