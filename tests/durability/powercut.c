/* A disk that loses power, for tests: loaded before the C library by LD_PRELOAD.
 *
 * Everything below $POWERCUT_HOME is watched. Writes go to the files as usual, so that the programs see what
 * they wrote; but only what was synchronised is copied to the shadow in $POWERCUT_CONTROL:
 *
 *     objects/<inode>-<generation>    the bytes of a file as of its last fsync or fdatasync, by any process
 *     dirs/<inode>-<generation>       the names in a folder as of its last fsync
 *     table                           shared by all processes: which pages of which inode are not yet on the disk
 *
 * A file's bytes and its name are two things here, as POSIX says: a file that was synchronised in a folder that
 * was not is lost. sync_file_range promises nothing. The lock is held over each real write and its entry in the
 * table, so that a copy is never older than what the program was told. Ignored: names ending in -shm, which
 * SQLite rebuilds, and "static", which is made anew. A way of writing that is not watched sets `broken`, and the
 * shadow then counts for nothing; the reader of the table also compares all clean pages with the shadow.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define SLOTS 8192
#define PAGE 4096
#define BITMAP 16384 /* bytes: 512 MiB a file */
#define MAGIC 0x67616e64616e0001ULL

enum { FREE = 0, ALIVE = 1, DEAD = 2 };
enum { BROKEN_FULL = 1, BROKEN_TOO_LARGE = 2, BROKEN_MAPPED = 4, BROKEN_UNKNOWN = 8, BROKEN_COPY = 16 };

struct head { /* 256 bytes, then the slots, then the bitmaps */
    uint64_t magic, device, broken, syncs;
    union { pthread_mutex_t lock; char room[128]; };
    char rest[96];
};
struct slot { /* 64 bytes */
    uint64_t inode;
    uint32_t generation, state, folder, dirty;
    uint64_t least; /* smallest size since the last synchronisation, or all ones */
    uint64_t rest[4];
};

static struct head *head;
static struct slot *slots;
static uint8_t *bitmaps;
static char home[PATH_MAX], control[PATH_MAX];
static size_t home_length;

#define REAL(name) ((__typeof__(&name))real(#name))
static void *real(const char *name) { return dlsym(RTLD_NEXT, name); }

static int (*real_open)(const char *, int, ...);
static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static int (*real_ftruncate)(int, off_t);
static int (*real_rename)(const char *, const char *);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);

__attribute__((constructor)) static void begin(void) {
    if (real_open) return;
    real_write = (ssize_t(*)(int, const void *, size_t))real("write");
    real_pwrite = (ssize_t(*)(int, const void *, size_t, off_t))real("pwrite");
    real_ftruncate = (int (*)(int, off_t))real("ftruncate");
    real_rename = (int (*)(const char *, const char *))real("rename");
    real_fsync = (int (*)(int))real("fsync");
    real_fdatasync = (int (*)(int))real("fdatasync");
    real_open = (int (*)(const char *, int, ...))real("open");
    const char *where = getenv("POWERCUT_HOME"), *to = getenv("POWERCUT_CONTROL");
    if (!where || !to || !realpath(where, home) || !realpath(to, control)) return;
    home_length = strlen(home);
    char path[PATH_MAX + 16];
    snprintf(path, sizeof path, "%s/table", control);
    int file = real_open(path, O_RDWR | O_CLOEXEC);
    if (file < 0) return;
    size_t size = sizeof(struct head) + (size_t)SLOTS * (sizeof(struct slot) + BITMAP);
    void *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (map == MAP_FAILED) { close(file); return; }
    slots = (struct slot *)((char *)map + sizeof(struct head));
    bitmaps = (uint8_t *)(slots + SLOTS);
    flock(file, LOCK_EX);
    struct head *found = map;
    if (found->magic != MAGIC) {
        pthread_mutexattr_t how;
        pthread_mutexattr_init(&how);
        pthread_mutexattr_setpshared(&how, PTHREAD_PROCESS_SHARED);
        pthread_mutexattr_setrobust(&how, PTHREAD_MUTEX_ROBUST);
        pthread_mutex_init(&found->lock, &how);
        found->magic = MAGIC;
    }
    flock(file, LOCK_UN);
    close(file);
    head = found;
}

static void enter(void) {
    if (pthread_mutex_lock(&head->lock) == EOWNERDEAD) pthread_mutex_consistent(&head->lock);
}
static void leave(void) { pthread_mutex_unlock(&head->lock); }

static struct slot *find(uint64_t inode, int make) {
    uint64_t at = (inode * 11400714819323198485ULL) >> (64 - 13);
    for (int tries = 0; tries < SLOTS; tries++, at = (at + 1) % SLOTS) {
        if (slots[at].state == FREE) {
            if (!make) return NULL;
            slots[at].inode = inode;
            return &slots[at];
        }
        if (slots[at].inode == inode) return &slots[at];
    }
    head->broken |= BROKEN_FULL;
    return NULL;
}
static uint8_t *bitmap(struct slot *s) { return bitmaps + (size_t)(s - slots) * BITMAP; }

static struct slot *alive(const struct stat *st) {
    if (st->st_dev != head->device) return NULL;
    struct slot *s = find(st->st_ino, 0);
    return s && s->state == ALIVE ? s : NULL;
}
static void adopt(const struct stat *st) { /* a file or folder that was just made */
    struct slot *s = find(st->st_ino, 1);
    if (!s) return;
    s->generation = s->state == FREE ? 0 : s->generation + 1;
    s->folder = S_ISDIR(st->st_mode);
    s->least = UINT64_MAX;
    s->dirty = 0;
    memset(bitmap(s), 0, BITMAP);
    s->state = ALIVE;
}
static void bury(const struct stat *st) {
    struct slot *s = alive(st);
    if (s && (S_ISDIR(st->st_mode) || st->st_nlink <= 1)) s->state = DEAD;
}
static void soil(struct slot *s, uint64_t from, uint64_t length) {
    if (!length) return;
    uint64_t last = (from + length - 1) / PAGE;
    if (last >= (uint64_t)BITMAP * 8) { head->broken |= BROKEN_TOO_LARGE; return; }
    for (uint64_t page = from / PAGE; page <= last; page++) bitmap(s)[page / 8] |= 1 << (page % 8);
    s->dirty = 1;
}
static void shorten(struct slot *s, uint64_t size) {
    if (size < s->least) s->least = size;
    if (size % PAGE) soil(s, size - size % PAGE, size % PAGE);
    s->dirty = 1;
}
static int is_ignored(const char *path) {
    const char *name = strrchr(path, '/');
    name = name ? name + 1 : path;
    size_t length = strlen(name);
    return (length > 4 && !strcmp(name + length - 4, "-shm")) || !strcmp(name, "static") || strstr(path, "/static/");
}
static int is_ours(int fd) { /* below home, and not ignored? */
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < (ssize_t)home_length) return 0;
    path[length] = 0;
    if (strncmp(path, home, home_length) || (path[home_length] && path[home_length] != '/')) return 0;
    return !is_ignored(path + home_length);
}

/* Opening and making */

#define MAKES(flags) (((flags) & O_CREAT) || ((flags) & O_TMPFILE) == O_TMPFILE)

static int open_at(int folder, const char *path, int flags, mode_t mode) {
    static int (*next)(int, const char *, int, ...);
    if (!next) next = (int (*)(int, const char *, int, ...))real("openat");
    if (!head || (!MAKES(flags) && !(flags & O_TRUNC))) return next(folder, path, flags, mode);
    enter();
    struct stat st;
    if ((flags & O_TRUNC) && !fstatat(folder, path, &st, 0)) {
        struct slot *s = alive(&st);
        if (s) shorten(s, 0);
    }
    int fd = next(folder, path, flags, mode), error = errno;
    if (fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode) && st.st_dev == head->device && !alive(&st) && is_ours(fd))
        adopt(&st);
    leave();
    errno = error;
    return fd;
}
#define MODE(flags, mode)                                    \
    mode_t mode = 0;                                         \
    if (MAKES(flags)) {                                      \
        va_list rest;                                        \
        va_start(rest, flags);                               \
        mode = (mode_t)va_arg(rest, int);                    \
        va_end(rest);                                        \
    }
int open(const char *path, int flags, ...) { begin(); MODE(flags, mode) return open_at(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { begin(); MODE(flags, mode) return open_at(AT_FDCWD, path, flags, mode); }
int openat(int folder, const char *path, int flags, ...) { begin(); MODE(flags, mode) return open_at(folder, path, flags, mode); }
int openat64(int folder, const char *path, int flags, ...) { begin(); MODE(flags, mode) return open_at(folder, path, flags, mode); }
int creat(const char *path, mode_t mode) { begin(); return open_at(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int creat64(const char *path, mode_t mode) { begin(); return open_at(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }

int mkdirat(int folder, const char *path, mode_t mode) {
    int (*next)(int, const char *, mode_t) = REAL(mkdirat);
    if (!head) return next(folder, path, mode);
    enter();
    int done = next(folder, path, mode), error = errno;
    if (!done) {
        int fd = openat(folder, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        struct stat st;
        if (fd >= 0) {
            if (!fstat(fd, &st) && st.st_dev == head->device && is_ours(fd)) adopt(&st);
            close(fd);
        }
    }
    leave();
    errno = error;
    return done;
}
int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }

/* Names */

int unlinkat(int folder, const char *path, int flags) {
    int (*next)(int, const char *, int) = REAL(unlinkat);
    if (!head) return next(folder, path, flags);
    enter();
    struct stat st;
    int known = !fstatat(folder, path, &st, AT_SYMLINK_NOFOLLOW);
    int done = next(folder, path, flags), error = errno;
    if (!done && known) bury(&st);
    leave();
    errno = error;
    return done;
}
int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }
int rmdir(const char *path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }
int remove(const char *path) {
    struct stat st;
    if (lstat(path, &st)) return -1;
    return unlinkat(AT_FDCWD, path, S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0);
}
int renameat2(int from, const char *old, int to, const char *new, unsigned flags) {
    int (*next)(int, const char *, int, const char *, unsigned) = REAL(renameat2);
    if (!head) return next(from, old, to, new, flags);
    enter();
    struct stat st, moved;
    int known = !(flags & RENAME_EXCHANGE) && !fstatat(to, new, &st, AT_SYMLINK_NOFOLLOW)
                && !fstatat(from, old, &moved, AT_SYMLINK_NOFOLLOW) && st.st_ino != moved.st_ino;
    int done = next(from, old, to, new, flags), error = errno;
    if (!done && known) bury(&st);
    leave();
    errno = error;
    return done;
}
int renameat(int from, const char *old, int to, const char *new) { return renameat2(from, old, to, new, 0); }
int rename(const char *old, const char *new) { return renameat2(AT_FDCWD, old, AT_FDCWD, new, 0); }
int linkat(int from, const char *old, int to, const char *new, int flags) {
    int (*next)(int, const char *, int, const char *, int) = REAL(linkat);
    if (!head) return next(from, old, to, new, flags);
    enter(); /* a folder being listed must not change */
    int done = next(from, old, to, new, flags), error = errno;
    leave();
    errno = error;
    return done;
}
int link(const char *old, const char *new) { return linkat(AT_FDCWD, old, AT_FDCWD, new, 0); }

/* Bytes */

static struct slot *begin_change(int fd) { /* enters when it returns a slot */
    struct stat st;
    if (!head || fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_dev != head->device) return NULL;
    enter();
    struct slot *s = alive(&st);
    if (!s) leave();
    return s;
}
static uint64_t position(int fd) {
    if (fcntl(fd, F_GETFL) & O_APPEND) {
        struct stat st;
        return fstat(fd, &st) ? 0 : (uint64_t)st.st_size;
    }
    off_t at = lseek(fd, 0, SEEK_CUR);
    return at < 0 ? 0 : (uint64_t)at;
}
static uint64_t total(const struct iovec *parts, int count) {
    uint64_t sum = 0;
    for (int i = 0; i < count; i++) sum += parts[i].iov_len;
    return sum;
}
#define CHANGE(fd, from, length, call)                     \
    struct slot *s = begin_change(fd);                     \
    if (!s) return call;                                   \
    soil(s, from, length);                                 \
    ssize_t done = call;                                   \
    int error = errno;                                     \
    leave();                                               \
    errno = error;                                         \
    return done;

ssize_t write(int fd, const void *bytes, size_t length) {
    begin();
    CHANGE(fd, position(fd), length, real_write(fd, bytes, length))
}
ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at) {
    begin();
    CHANGE(fd, (uint64_t)at, length, real_pwrite(fd, bytes, length, at))
}
ssize_t pwrite64(int fd, const void *bytes, size_t length, off_t at) { return pwrite(fd, bytes, length, at); }
ssize_t writev(int fd, const struct iovec *parts, int count) {
    CHANGE(fd, position(fd), total(parts, count), REAL(writev)(fd, parts, count))
}
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at) {
    CHANGE(fd, (uint64_t)at, total(parts, count), REAL(pwritev)(fd, parts, count, at))
}
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off_t at) { return pwritev(fd, parts, count, at); }
ssize_t pwritev2(int fd, const struct iovec *parts, int count, off_t at, int flags) {
    CHANGE(fd, at < 0 ? position(fd) : (uint64_t)at, total(parts, count), REAL(pwritev2)(fd, parts, count, at, flags))
}
ssize_t pwritev64v2(int fd, const struct iovec *parts, int count, off_t at, int flags) { return pwritev2(fd, parts, count, at, flags); }

int ftruncate(int fd, off_t size) {
    begin();
    struct slot *s = begin_change(fd);
    if (!s) return real_ftruncate(fd, size);
    shorten(s, (uint64_t)size);
    int done = real_ftruncate(fd, size), error = errno;
    leave();
    errno = error;
    return done;
}
int ftruncate64(int fd, off_t size) { return ftruncate(fd, size); }
int truncate(const char *path, off_t size) {
    int fd = open_at(AT_FDCWD, path, O_WRONLY | O_CLOEXEC, 0);
    if (fd < 0) return -1;
    int done = ftruncate(fd, size), error = errno;
    close(fd);
    errno = error;
    return done;
}
int truncate64(const char *path, off_t size) { return truncate(path, size); }
int fallocate(int fd, int mode, off_t from, off_t length) {
    struct slot *s = begin_change(fd);
    if (!s) return REAL(fallocate)(fd, mode, from, length);
    leave();
    (void)mode, (void)from, (void)length;
    errno = EOPNOTSUPP; /* the programs then write */
    return -1;
}
int fallocate64(int fd, int mode, off_t from, off_t length) { return fallocate(fd, mode, from, length); }
int posix_fallocate(int fd, off_t from, off_t length) {
    struct slot *s = begin_change(fd);
    if (!s) return REAL(posix_fallocate)(fd, from, length);
    leave();
    return EOPNOTSUPP;
}
int posix_fallocate64(int fd, off_t from, off_t length) { return posix_fallocate(fd, from, length); }
ssize_t sendfile(int to, int from, off_t *at, size_t count) {
    ssize_t (*next)(int, int, off_t *, size_t) = (ssize_t(*)(int, int, off_t *, size_t))real("sendfile");
    if (!begin_change(to)) return next(to, from, at, count);
    leave();
    errno = EINVAL; /* the programs then read and write */
    return -1;
}
ssize_t sendfile64(int to, int from, off_t *at, size_t count) { return sendfile(to, from, at, count); }
ssize_t copy_file_range(int from, off_t *at, int to, off_t *goal, size_t count, unsigned flags) {
    if (!begin_change(to)) return REAL(copy_file_range)(from, at, to, goal, count, flags);
    leave();
    errno = EXDEV;
    return -1;
}
void *mmap(void *where, size_t length, int rights, int flags, int fd, off_t at) {
    void *(*next)(void *, size_t, int, int, int, off_t) = (void *(*)(void *, size_t, int, int, int, off_t))real("mmap");
    if (head && fd >= 0 && (rights & PROT_WRITE) && (flags & MAP_TYPE) != MAP_PRIVATE && begin_change(fd)) {
        head->broken |= BROKEN_MAPPED;
        leave();
    }
    return next(where, length, rights, flags, fd, at);
}
void *mmap64(void *where, size_t length, int rights, int flags, int fd, off_t at) { return mmap(where, length, rights, flags, fd, at); }

/* Reaching the disk */

static void keep_bytes(int fd, struct slot *s, const struct stat *st) {
    if (!s->dirty && s->least == UINT64_MAX) {
        char path[PATH_MAX + 64];
        snprintf(path, sizeof path, "%s/objects/%llu-%u", control, (unsigned long long)s->inode, s->generation);
        if (!access(path, F_OK)) return;
    }
    char path[PATH_MAX + 64], page[PAGE];
    snprintf(path, sizeof path, "%s/objects/%llu-%u", control, (unsigned long long)s->inode, s->generation);
    int source = fd, kept = real_open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if ((fcntl(fd, F_GETFL) & O_ACCMODE) == O_WRONLY) {
        /* Opening anew would, on closing, drop this process's locks on the file; SQLite never comes here. */
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        source = real_open(path, O_RDONLY | O_CLOEXEC);
    }
    struct stat old;
    int bad = kept < 0 || source < 0 || fstat(kept, &old);
    if (!bad && s->least < (uint64_t)old.st_size) bad = real_ftruncate(kept, (off_t)s->least);
    uint64_t pages = ((uint64_t)st->st_size + PAGE - 1) / PAGE;
    for (uint64_t n = 0; !bad && n < pages && n < (uint64_t)BITMAP * 8; n++) {
        if (!bitmap(s)[n / 8]) { n |= 7; continue; }
        if (!(bitmap(s)[n / 8] >> (n % 8) & 1)) continue;
        ssize_t got = pread(source, page, PAGE, (off_t)(n * PAGE));
        bad = got < 0 || real_pwrite(kept, page, (size_t)got, (off_t)(n * PAGE)) != got;
    }
    if (!bad) bad = real_ftruncate(kept, st->st_size);
    if (kept >= 0) close(kept);
    if (source >= 0 && source != fd) close(source);
    if (bad) { head->broken |= BROKEN_COPY; return; }
    memset(bitmap(s), 0, BITMAP);
    s->least = UINT64_MAX;
    s->dirty = 0;
}
static void keep_names(int fd, struct slot *s) {
    char path[PATH_MAX + 64], partial[PATH_MAX + 80], link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    snprintf(path, sizeof path, "%s/dirs/%llu-%u", control, (unsigned long long)s->inode, s->generation);
    snprintf(partial, sizeof partial, "%s.partial", path);
    DIR *folder = opendir(link);
    FILE *names = fopen(partial, "w");
    if (!folder || !names) { head->broken |= BROKEN_COPY; if (folder) closedir(folder); if (names) fclose(names); return; }
    for (struct dirent *entry; (entry = readdir(folder));) {
        struct stat st;
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..") || is_ignored(entry->d_name)) continue;
        if (fstatat(dirfd(folder), entry->d_name, &st, AT_SYMLINK_NOFOLLOW)) continue;
        if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) continue;
        struct slot *inner = alive(&st);
        if (!inner) { head->broken |= BROKEN_UNKNOWN; continue; }
        fprintf(names, "%c %llu-%u %s\n", S_ISDIR(st.st_mode) ? 'd' : 'f', (unsigned long long)inner->inode, inner->generation, entry->d_name);
    }
    closedir(folder);
    if (fclose(names) || real_rename(partial, path)) head->broken |= BROKEN_COPY;
}
static int synchronise(int fd, int (*next)(int)) {
    struct stat st;
    if (!head || fstat(fd, &st) || st.st_dev != head->device || !(S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))) return next(fd);
    enter();
    struct slot *s = alive(&st);
    if (s && !fstat(fd, &st)) {
        head->syncs++;
        if (S_ISDIR(st.st_mode)) keep_names(fd, s); else keep_bytes(fd, s, &st);
        leave();
        return 0; /* the shadow is the disk; the real one need not wait */
    }
    leave();
    return next(fd);
}
int fsync(int fd) { begin(); return synchronise(fd, real_fsync); }
int fdatasync(int fd) { begin(); return synchronise(fd, real_fdatasync); }
int sync_file_range(int fd, off_t from, off_t length, unsigned flags) {
    (void)fd, (void)from, (void)length, (void)flags;
    return 0;
}
