"""The system calls that a program in a sandbox may make: one table for the jail's filter and for Docker's profile.

An allow list: what is not here, and what the kernel will have tomorrow, is refused. Absent on purpose: sockets of every
family, namespaces and mounts, ptrace and reading other processes, io_uring, bpf, perf, userfaultfd, keys, modules,
memory without a name (memfd) and System V memory, which no limit would count, and file handles that pass by paths.
"""

from __future__ import annotations

from typing import NamedTuple

# name, number on x86_64, number on aarch64 ("-": the machine does not have it).
_PLAIN = """
read 0 63 | write 1 64 | readv 19 65 | writev 20 66 | pread64 17 67 | pwrite64 18 68 | preadv 295 69 |
pwritev 296 70 | preadv2 327 286 | pwritev2 328 287 | open 2 - | openat 257 56 | creat 85 - | close 3 57 |
close_range 436 436 | lseek 8 62 | stat 4 - | fstat 5 80 | lstat 6 - | newfstatat 262 79 | statx 332 291 |
access 21 - | faccessat 269 48 | faccessat2 439 439 | readlink 89 - | readlinkat 267 78 | getdents 78 - |
getdents64 217 61 | getcwd 79 17 | chdir 80 49 | fchdir 81 50 | mkdir 83 - | mkdirat 258 34 | rmdir 84 - |
unlink 87 - | unlinkat 263 35 | rename 82 - | renameat 264 38 | renameat2 316 276 | link 86 - | linkat 265 37 |
symlink 88 - | symlinkat 266 36 | chmod 90 - | fchmod 91 52 | fchmodat 268 53 | truncate 76 45 | ftruncate 77 46 |
fallocate 285 47 | fsync 74 82 | fdatasync 75 83 | utimensat 280 88 | futimesat 261 - | utime 132 - |
utimes 235 - | umask 95 166 | dup 32 23 | dup2 33 - | dup3 292 24 | flock 73 32 | sendfile 40 71 |
copy_file_range 326 285 | fadvise64 221 223 | statfs 137 43 | fstatfs 138 44 | getxattr 191 8 | lgetxattr 192 9 |
fgetxattr 193 10 | listxattr 194 11 | llistxattr 195 12 | flistxattr 196 13 | pipe 22 - | pipe2 293 59 |
poll 7 - | ppoll 271 73 | select 23 - | pselect6 270 72 | epoll_create 213 - | epoll_create1 291 20 |
epoll_ctl 233 21 | epoll_wait 232 - | epoll_pwait 281 22 | eventfd 284 - | eventfd2 290 19 | pause 34 - |
alarm 37 - | nanosleep 35 101 | clock_nanosleep 230 115 | clock_gettime 228 113 | clock_getres 229 114 |
gettimeofday 96 169 | time 201 - | times 100 153 | getitimer 36 102 | setitimer 38 103 | mmap 9 222 |
munmap 11 215 | mprotect 10 226 | mremap 25 216 | madvise 28 233 | brk 12 214 | msync 26 227 |
membarrier 324 283 | fork 57 - | vfork 58 - | execve 59 221 | exit 60 93 | exit_group 231 94 | wait4 61 260 |
waitid 247 95 | kill 62 129 | tkill 200 130 | tgkill 234 131 | getpid 39 172 | getppid 110 173 | gettid 186 178 |
getpgid 121 155 | getpgrp 111 - | setpgid 109 154 | getsid 124 156 | setsid 112 157 | set_tid_address 218 96 |
set_robust_list 273 99 | get_robust_list 274 100 | futex 202 98 | rseq 334 293 | sched_yield 24 124 |
sched_getaffinity 204 123 | sched_getparam 143 121 | sched_getscheduler 145 120 | sched_get_priority_max 146 125 |
sched_get_priority_min 147 126 | getpriority 140 141 | getrlimit 97 163 | setrlimit 160 164 | prlimit64 302 261 |
getrusage 98 165 | sysinfo 99 179 | uname 63 160 | getcpu 309 168 | getrandom 318 278 | arch_prctl 158 - |
restart_syscall 219 128 | rt_sigaction 13 134 | rt_sigprocmask 14 135 | rt_sigreturn 15 139 |
rt_sigpending 127 136 | rt_sigtimedwait 128 137 | rt_sigsuspend 130 133 | sigaltstack 131 132 | getuid 102 174 |
geteuid 107 175 | getgid 104 176 | getegid 108 177 | getgroups 115 158 | getresuid 118 148 | getresgid 120 150 |
capget 125 90

"""

NEW_NAMESPACES = 0x7E020000  # every CLONE_NEW* bit that clone takes
TERMINAL_AND_DESCRIPTOR = (
    0x5401,
    0x5413,
    0x541B,
    0x5421,
    0x5450,
    0x5451,
)  # TCGETS TIOCGWINSZ FIONREAD FIONBIO FIONCLEX FIOCLEX
# F_DUPFD, GETFD, SETFD, GETFL, SETFL, DUPFD_CLOEXEC, GETPIPE_SZ. No locks of ranges: nothing counts how many there are.
DESCRIPTOR_COMMANDS = (0, 1, 2, 3, 4, 1030, 1032)
# PDEATHSIG, GET_DUMPABLE, SET_NAME, GET_NAME, CAPBSET_READ, SET and GET_NO_NEW_PRIVS, THP_DISABLE twice, SET_VMA
PROCESS_OPTIONS = (1, 3, 15, 16, 23, 38, 39, 41, 42, 0x53564D41)
NO_SUCH_CALL = 38  # ENOSYS: the C library then takes the older call, whose flags can be read


class Call(NamedTuple):
    """One allowed call. With `argument`, only if that argument is one of `values`, or (`mask`) has none of its bits."""

    name: str
    x86_64: int | None
    aarch64: int | None
    argument: int | None = None
    values: tuple[int, ...] = ()
    mask: int = 0

    def number(self, machine: str) -> int | None:
        return self.x86_64 if machine == "x86_64" else self.aarch64


def _plain() -> tuple[Call, ...]:
    rows = (row.split() for line in _PLAIN.strip().splitlines() for row in line.split("|") if row.strip())
    return tuple(Call(name, _number(x86), _number(arm)) for name, x86, arm in rows)


def _number(text: str) -> int | None:
    return None if text == "-" else int(text)


ALLOWED: tuple[Call, ...] = (
    *_plain(),
    Call("clone", 56, 220, argument=0, mask=NEW_NAMESPACES),
    Call("ioctl", 16, 29, argument=1, values=TERMINAL_AND_DESCRIPTOR),
    Call("fcntl", 72, 25, argument=1, values=DESCRIPTOR_COMMANDS),
    Call("prctl", 157, 167, argument=0, values=PROCESS_OPTIONS),
    Call("personality", 135, 92, argument=0, values=(0, 0xFFFFFFFF)),
)
# Its flags lie in memory, where a filter cannot read them.
ABSENT: tuple[Call, ...] = (Call("clone3", 435, 435),)
