/* A preloaded library that records a program's file operations and makes them fail. It changes only what its variables
 * ask for, and no operation on a path outside PATINA_SHIM_UNDER fails.
 *
 * PATINA_SHIM_UNDER=DIR       only paths that begin with DIR are logged or fail
 * PATINA_SHIM_TOUCHED=FILE    gets a line per path, anywhere, opened for writing, renamed, removed, created or run
 * PATINA_SHIM_LOG=FILE        gets every change below UNDER: "KIND LENGTH LENGTH OFFSET\n", then two strings
 * PATINA_SHIM_FAIL="KIND ERROR N"   the N-th call of a kind (write pwrite fsync ftruncate rename unlink) fails: EIO,
 *                             ENOSPC, or SHORT for half a write; with "KIND ERROR N+" later calls fail too
 * PATINA_SHIM_READONLY=1      paths below UNDER are read-only
 * PATINA_SHIM_MOUNTINFO=FILE  read in place of /proc/self/mountinfo
 * PATINA_SHIM_USER=N          the program runs as user N
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static pthread_mutex_t order = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static long calls[6];
static const char *const KINDS[6] = {"write", "pwrite", "fsync", "ftruncate", "rename", "unlink"};

#define REAL(name) static __typeof__(name) *real; if (!real) real = dlsym(RTLD_NEXT, #name)

static const char *under(void) { return getenv("PATINA_SHIM_UNDER"); }

static int counts(const char *path) {
    const char *dir = under();
    return dir && path && strncmp(path, dir, strlen(dir)) == 0;
}

/* Returns the path of a descriptor, without the suffix for a deleted file. */
static int name_of(int fd, char *out) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, out, PATH_MAX);
    if (length < 0) return 0;
    out[length] = 0;
    char *gone = strstr(out, " (deleted)");
    if (gone) { *gone = 0; return 0; }
    return out[0] == '/';
}

static void whole(int dirfd, const char *path, char *out) {
    char folder[PATH_MAX + 1] = "";
    if (path[0] == '/') { snprintf(out, PATH_MAX + 1, "%s", path); return; }
    if (dirfd == AT_FDCWD) { if (!getcwd(folder, sizeof folder)) folder[0] = 0; }
    else if (!name_of(dirfd, folder)) folder[0] = 0;
    if (snprintf(out, PATH_MAX + 1, "%s/%s", folder, path) > PATH_MAX) out[PATH_MAX] = 0;
}

/* Opens the file each time, because patina closes every descriptor when it detaches. */
static void append(const char *variable, const struct iovec *parts, int count) {
    const char *file = getenv(variable);
    if (!file) return;
    int fd = syscall(SYS_openat, AT_FDCWD, file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0) return;
    syscall(SYS_writev, fd, parts, count);
    syscall(SYS_close, fd);
}

static void touched(const char *what, const char *path) {
    struct iovec parts[4] = {{(void *)what, strlen(what)}, {" ", 1}, {(void *)path, strlen(path)}, {"\n", 1}};
    append("PATINA_SHIM_TOUCHED", parts, 4);
}

static void record(const char *kind, const char *path, const void *more, size_t length, long long offset) {
    if (!getenv("PATINA_SHIM_LOG") || !counts(path)) return;
    char head[128];
    int size = snprintf(head, sizeof head, "%s %zu %zu %lld\n", kind, strlen(path), length, offset);
    struct iovec parts[3] = {{head, size}, {(void *)path, strlen(path)}, {(void *)more, length}};
    append("PATINA_SHIM_LOG", parts, 3);
}

/* Decides about a call: 0 proceeds, 1 has failed with errno set, 2 is a short write. */
static int fate(int kind, const char *path) {
    if (!counts(path)) return 0;
    if (getenv("PATINA_SHIM_READONLY") && kind > 3) { errno = EROFS; return 1; }
    const char *plan = getenv("PATINA_SHIM_FAIL");
    char name[16], error[16], on = 0;
    long at;
    if (!plan || sscanf(plan, "%15s %15s %ld%c", name, error, &at, &on) < 3 || strcmp(name, KINDS[kind])) return 0;
    long number = ++calls[kind];
    if (number < at || (number > at && on != '+')) return 0;
    touched("failed", path);
    if (strcmp(error, "SHORT") == 0) return 2;
    errno = strcmp(error, "ENOSPC") == 0 ? ENOSPC : EIO;
    return 1;
}

static int guarded_open(int dirfd, const char *path, int flags, mode_t mode) {
    char name[PATH_MAX + 1];
    whole(dirfd, path, name);
    const char *info = getenv("PATINA_SHIM_MOUNTINFO");
    if (info && strcmp(name, "/proc/self/mountinfo") == 0) path = info;
    int writes = (flags & O_ACCMODE) != O_RDONLY || flags & (O_CREAT | O_TRUNC);
    if (writes && counts(name) && getenv("PATINA_SHIM_READONLY")) { errno = EROFS; return -1; }
    pthread_mutex_lock(&order);
    int is_new = writes && (flags & O_CREAT) && syscall(SYS_faccessat, dirfd, path, F_OK) != 0;
    int fd = syscall(SYS_openat, dirfd, path, flags, mode);
    int error = errno;
    if (fd >= 0 && writes) {
        touched("write", name);
        if (is_new) record("create", name, "", 0, 0);
        else if (flags & O_TRUNC) record("ftruncate", name, "", 0, 0);
    }
    pthread_mutex_unlock(&order);
    errno = error;
    return fd;
}

#define OPEN_MODE(flags) \
    mode_t mode = 0; \
    if ((flags) & (O_CREAT | __O_TMPFILE)) { va_list more; va_start(more, flags); mode = va_arg(more, mode_t); va_end(more); }

int open(const char *path, int flags, ...) { OPEN_MODE(flags) return guarded_open(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { OPEN_MODE(flags) return guarded_open(AT_FDCWD, path, flags | O_LARGEFILE, mode); }
int openat(int dirfd, const char *path, int flags, ...) { OPEN_MODE(flags) return guarded_open(dirfd, path, flags, mode); }
int openat64(int dirfd, const char *path, int flags, ...) { OPEN_MODE(flags) return guarded_open(dirfd, path, flags | O_LARGEFILE, mode); }
int creat(const char *path, mode_t mode) { return guarded_open(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }

static ssize_t guarded_write(int fd, const void *bytes, size_t size, off_t offset, int positioned) {
    char name[PATH_MAX + 1];
    int kind = positioned ? 1 : 0, known = name_of(fd, name) && counts(name), what = known ? fate(kind, name) : 0;
    if (what == 1) return -1;
    if (what == 2 && size > 1) size /= 2;
    if (known) pthread_mutex_lock(&order);
    if (known && !positioned) {
        int append_only = fcntl(fd, F_GETFL) & O_APPEND;
        offset = syscall(SYS_lseek, fd, 0, append_only ? SEEK_END : SEEK_CUR);
    }
    ssize_t written = positioned ? syscall(SYS_pwrite64, fd, bytes, size, offset) : syscall(SYS_write, fd, bytes, size);
    int error = errno;
    if (known && written > 0) record("write", name, bytes, written, offset);
    if (known) pthread_mutex_unlock(&order);
    errno = error;
    return written;
}

ssize_t write(int fd, const void *bytes, size_t size) { return guarded_write(fd, bytes, size, 0, 0); }
ssize_t pwrite(int fd, const void *bytes, size_t size, off_t at) { return guarded_write(fd, bytes, size, at, 1); }
ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t at) { return guarded_write(fd, bytes, size, at, 1); }

ssize_t writev(int fd, const struct iovec *parts, int count) {
    char name[PATH_MAX + 1];
    if (!name_of(fd, name) || !counts(name)) return syscall(SYS_writev, fd, parts, count);
    /* A short write is always allowed, so writing the first non-empty part is enough. */
    for (int at = 0; at < count; at++) if (parts[at].iov_len) return write(fd, parts[at].iov_base, parts[at].iov_len);
    return 0;
}

static int synced(int fd, long call) {
    char name[PATH_MAX + 1];
    int known = name_of(fd, name) && counts(name);
    if (known && fate(2, name)) return -1;
    pthread_mutex_lock(&order);
    /* The real fsync is skipped: only the record matters, and tests do not wait for the disk. */
    int result = known ? 0 : syscall(call, fd);
    if (known && result == 0) record("sync", name, "", 0, 0);
    pthread_mutex_unlock(&order);
    return result;
}

int fsync(int fd) { return synced(fd, SYS_fsync); }
int fdatasync(int fd) { return synced(fd, SYS_fdatasync); }

static int truncated(int fd, off64_t size) {
    char name[PATH_MAX + 1];
    int known = name_of(fd, name) && counts(name);
    if (known && fate(3, name)) return -1;
    pthread_mutex_lock(&order);
    int result = syscall(SYS_ftruncate, fd, size), error = errno;
    if (known && result == 0) record("ftruncate", name, "", 0, size);
    pthread_mutex_unlock(&order);
    errno = error;
    return result;
}

int ftruncate(int fd, off_t size) { return truncated(fd, size); }
int ftruncate64(int fd, off64_t size) { return truncated(fd, size); }

int renameat(int from_dir, const char *from, int to_dir, const char *to) {
    char old[PATH_MAX + 1], new[PATH_MAX + 1];
    whole(from_dir, from, old);
    whole(to_dir, to, new);
    if (fate(4, new)) return -1;
    pthread_mutex_lock(&order);
    int result = syscall(SYS_renameat2, from_dir, from, to_dir, to, 0), error = errno;
    if (result == 0) { touched("rename", new); record("rename", old, new, strlen(new), 0); }
    pthread_mutex_unlock(&order);
    errno = error;
    return result;
}

int rename(const char *from, const char *to) { return renameat(AT_FDCWD, from, AT_FDCWD, to); }

int unlinkat(int dirfd, const char *path, int flags) {
    char name[PATH_MAX + 1];
    whole(dirfd, path, name);
    if (fate(5, name)) return -1;
    pthread_mutex_lock(&order);
    int result = syscall(SYS_unlinkat, dirfd, path, flags), error = errno;
    if (result == 0) { touched("unlink", name); record("unlink", name, "", 0, 0); }
    pthread_mutex_unlock(&order);
    errno = error;
    return result;
}

int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }
int rmdir(const char *path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }

int mkdir(const char *path, mode_t mode) {
    char name[PATH_MAX + 1];
    whole(AT_FDCWD, path, name);
    if (counts(name) && getenv("PATINA_SHIM_READONLY")) { errno = EROFS; return -1; }
    int result = syscall(SYS_mkdirat, AT_FDCWD, path, mode), error = errno;
    if (result == 0) { touched("mkdir", name); record("mkdir", name, "", 0, 0); }
    errno = error;
    return result;
}

int execve(const char *path, char *const arguments[], char *const variables[]) {
    touched("run", path);
    return syscall(SYS_execve, path, arguments, variables);
}

int execvp(const char *path, char *const arguments[]) {
    REAL(execvp);
    touched("run", path);
    return real(path, arguments);
}

int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *how,
                char *const arguments[], char *const variables[]) {
    REAL(posix_spawn);
    touched("run", path);
    return real(pid, path, actions, how, arguments, variables);
}

int posix_spawnp(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *how,
                 char *const arguments[], char *const variables[]) {
    REAL(posix_spawnp);
    touched("run", path);
    return real(pid, path, actions, how, arguments, variables);
}

uid_t geteuid(void) {
    const char *user = getenv("PATINA_SHIM_USER");
    return user ? (uid_t)atol(user) : (uid_t)syscall(SYS_geteuid);
}
