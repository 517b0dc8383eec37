/* Counts what a process writes below one folder, tells it, and lets one of these calls go wrong.
 *
 * Loaded with LD_PRELOAD. Either armed by a call of `shim_arm` (a forked child of the tests), or by
 * XSELL_SHIM = "<number> <kind> <trace file> <folder>" in the environment of a process.
 *
 * Every call that changes the disk below the folder, or makes a change last, has a number, from 1.
 * Kinds: 0 none; 1 killed instead of the call; 2 the disk is full from this call on (ENOSPC for all
 * that takes space); 3 this call fails (EIO); 4 the next write from this call on writes half. The trace has a line
 * "<number> <call> <path>[<tab><second path>]" per call, and "FIRED …" before the one that fails. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { NONE, KILL, FULL, BROKEN, SHORT };

static char root[PATH_MAX];
static size_t root_length;
static int trace = -1, kind, is_full, is_over;
static long at, count;

void shim_arm(const char *folder, const char *trace_path, long number, int what) {
  trace = syscall(SYS_openat, AT_FDCWD, trace_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  at = number, kind = what, count = 0, is_full = is_over = 0;
  snprintf(root, sizeof root, "%s", folder);
  root_length = strlen(root);
}

__attribute__((constructor)) static void from_environment(void) {
  const char *said = getenv("XSELL_SHIM");
  char path[PATH_MAX], folder[PATH_MAX];
  long number;
  int what;
  if (said && sscanf(said, "%ld %d %4095s %4095s", &number, &what, path, folder) == 4)
    shim_arm(folder, path, number, what);
}

static int is_below(const char *path) {
  return root_length && !strncmp(path, root, root_length) &&
         (path[root_length] == '/' || !path[root_length]);
}

static int name_of(int fd, char *into) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = syscall(SYS_readlinkat, AT_FDCWD, link, into, PATH_MAX - 1);
  if (length < 0) return 0;
  into[length] = 0;
  return 1;
}

static void absolute(int folder, const char *path, char *into) {
  char base[PATH_MAX];
  if (path[0] == '/') {
    snprintf(into, PATH_MAX, "%s", path);
  } else if (folder == AT_FDCWD ? getcwd(base, sizeof base) != NULL : name_of(folder, base)) {
    snprintf(into, PATH_MAX, "%.2000s/%.2000s", base, path);
  } else {
    into[0] = 0;
  }
}

static void tell(const char *mark, long number, const char *call, const char *one, const char *two) {
  char line[2 * PATH_MAX + 64];
  int length = snprintf(line, sizeof line, "%s%ld %s %s%s%s\n", mark, number, call, one,
                        two ? "\t" : "", two ? two : "");
  if (trace >= 0) syscall(SYS_write, trace, line, length);
}

/* What becomes of a call: 0 goes on, -1 fails with errno, 1 writes half. */
static int verdict(const char *call, int takes_space, int is_write, const char *one, const char *two) {
  if (!is_below(one) && !(two && is_below(two))) return 0;
  long number = __atomic_add_fetch(&count, 1, __ATOMIC_SEQ_CST);
  int is_short = kind == SHORT && is_write && number >= at && !is_over;
  if (is_short) is_over = 1;
  if (is_short || (number == at && (kind == KILL || kind == BROKEN || (kind == FULL && takes_space))))
    tell("FIRED ", number, call, one, two);
  else if (number == at && kind == FULL)
    tell("FULL ", number, call, one, two);
  else
    tell("", number, call, one, two);
  if (number == at && kind == FULL) is_full = 1;
  if (number == at && kind == KILL) {
    syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
    for (;;) syscall(SYS_pause);
  }
  if (number == at && kind == BROKEN) return errno = EIO, -1;
  if (is_full && takes_space) {
    if (number != at) tell("FIRED ", number, call, one, two);
    return errno = ENOSPC, -1;
  }
  return is_short;
}

#define REAL(type, name, ...)                                   \
  static type (*real)(__VA_ARGS__);                             \
  if (!real) *(void **)&real = dlsym(RTLD_NEXT, #name)

#define MAKES(flags) ((flags) & (O_CREAT | O_TRUNC))
#define OPEN(name, AT_ARGUMENT, FOLDER, AT_VALUE, ...)                                     \
  int name(AT_ARGUMENT const char *path, int flags, ...) {                                 \
    REAL(int, name, __VA_ARGS__ const char *, int, ...);                                   \
    mode_t mode = 0;                                                                       \
    if (flags & (O_CREAT | __O_TMPFILE)) {                                                 \
      va_list rest;                                                                        \
      va_start(rest, flags);                                                               \
      mode = va_arg(rest, mode_t);                                                         \
      va_end(rest);                                                                        \
    }                                                                                      \
    char full[PATH_MAX];                                                                   \
    if (MAKES(flags)) {                                                                    \
      absolute(FOLDER, path, full);                                                        \
      if (verdict("create", 1, 0, full, NULL)) return -1;                                  \
    }                                                                                      \
    return real(AT_VALUE path, flags, mode);                                               \
  }
#define COMMA ,
OPEN(open, , AT_FDCWD, , )
OPEN(open64, , AT_FDCWD, , )
OPEN(openat, int folder COMMA, folder, folder COMMA, int COMMA)
OPEN(openat64, int folder COMMA, folder, folder COMMA, int COMMA)

static int of_file(const char *call, int fd, int takes_space, int is_write) {
  char path[PATH_MAX];
  if (!root_length || !name_of(fd, path)) return 0;
  return verdict(call, takes_space, is_write, path, NULL);
}

ssize_t write(int fd, const void *bytes, size_t size) {
  REAL(ssize_t, write, int, const void *, size_t);
  int said = of_file("write", fd, 1, size > 1);
  return said < 0 ? -1 : real(fd, bytes, said ? size / 2 : size);
}

#define PWRITE(name, offset)                                               \
  ssize_t name(int fd, const void *bytes, size_t size, offset where) {     \
    REAL(ssize_t, name, int, const void *, size_t, offset);                \
    int said = of_file("pwrite", fd, 1, size > 1);                         \
    return said < 0 ? -1 : real(fd, bytes, said ? size / 2 : size, where); \
  }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)

ssize_t writev(int fd, const struct iovec *parts, int number) {
  REAL(ssize_t, writev, int, const struct iovec *, int);
  int said = of_file("writev", fd, 1, number > 1);
  return said < 0 ? -1 : real(fd, parts, said ? 1 : number);
}

#define ON_FILE(name, takes_space)                    \
  int name(int fd) {                                  \
    REAL(int, name, int);                             \
    return of_file(#name, fd, takes_space, 0) ? -1 : real(fd); \
  }
ON_FILE(fsync, 0)
ON_FILE(fdatasync, 0)

int close(int fd) {
  REAL(int, close, int);
  int saved = errno, flags = root_length ? fcntl(fd, F_GETFL) : -1;
  errno = saved;
  int said = flags >= 0 && (flags & O_ACCMODE) != O_RDONLY ? of_file("close", fd, 0, 0) : 0;
  int done = real(fd); /* as Linux does: the descriptor is gone, whatever it says */
  if (!said) return done;
  return errno = EIO, -1;
}

#define TRUNCATE(name, offset)                                     \
  int name(int fd, offset size) {                                  \
    REAL(int, name, int, offset);                                  \
    return of_file("ftruncate", fd, 0, 0) ? -1 : real(fd, size);   \
  }
TRUNCATE(ftruncate, off_t)
TRUNCATE(ftruncate64, off64_t)

static int on_path(const char *call, int folder, const char *path, int takes_space) {
  char full[PATH_MAX];
  absolute(folder, path, full);
  return verdict(call, takes_space, 0, full, NULL);
}

static int on_two(const char *call, int f1, const char *p1, int f2, const char *p2, int takes_space) {
  char one[PATH_MAX], two[PATH_MAX];
  absolute(f1, p1, one);
  absolute(f2, p2, two);
  return verdict(call, takes_space, 0, one, two);
}

int mkdir(const char *path, mode_t mode) {
  REAL(int, mkdir, const char *, mode_t);
  return on_path("mkdir", AT_FDCWD, path, 1) ? -1 : real(path, mode);
}
int mkdirat(int folder, const char *path, mode_t mode) {
  REAL(int, mkdirat, int, const char *, mode_t);
  return on_path("mkdir", folder, path, 1) ? -1 : real(folder, path, mode);
}
int unlink(const char *path) {
  REAL(int, unlink, const char *);
  return on_path("unlink", AT_FDCWD, path, 0) ? -1 : real(path);
}
int unlinkat(int folder, const char *path, int flags) {
  REAL(int, unlinkat, int, const char *, int);
  const char *call = flags & AT_REMOVEDIR ? "rmdir" : "unlink";
  return on_path(call, folder, path, 0) ? -1 : real(folder, path, flags);
}
int rmdir(const char *path) {
  REAL(int, rmdir, const char *);
  return on_path("rmdir", AT_FDCWD, path, 0) ? -1 : real(path);
}
int chmod(const char *path, mode_t mode) {
  REAL(int, chmod, const char *, mode_t);
  return on_path("chmod", AT_FDCWD, path, 0) ? -1 : real(path, mode);
}
int rename(const char *from, const char *to) {
  REAL(int, rename, const char *, const char *);
  return on_two("rename", AT_FDCWD, from, AT_FDCWD, to, 0) ? -1 : real(from, to);
}
int renameat(int f1, const char *from, int f2, const char *to) {
  REAL(int, renameat, int, const char *, int, const char *);
  return on_two("rename", f1, from, f2, to, 0) ? -1 : real(f1, from, f2, to);
}
int renameat2(int f1, const char *from, int f2, const char *to, unsigned flags) {
  REAL(int, renameat2, int, const char *, int, const char *, unsigned);
  return on_two(flags & 2 ? "exchange" : "rename", f1, from, f2, to, 0)
             ? -1 : real(f1, from, f2, to, flags);
}
int link(const char *from, const char *to) {
  REAL(int, link, const char *, const char *);
  return on_two("link", AT_FDCWD, from, AT_FDCWD, to, 1) ? -1 : real(from, to);
}
int linkat(int f1, const char *from, int f2, const char *to, int flags) {
  REAL(int, linkat, int, const char *, int, const char *, int);
  return on_two("link", f1, from, f2, to, 1) ? -1 : real(f1, from, f2, to, flags);
}
