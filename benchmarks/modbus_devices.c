/* Many Modbus TCP devices in one process, so cheap that whoever polls them is what is measured.

   modbus_devices COUNT FIRST_PORT: device i listens on 127.0.0.1, port FIRST_PORT + i. Function 4 answers floats that
   differ from answer to answer; whatever else is asked is answered by exception 1. Commands come on stdin, one a line:

   turnaround US   answer so many microseconds after the question
   hang I          device I takes questions and answers none        wake I    and answers again
   close I         device I is gone: connections are refused        open I    and is back
   mark            forget what was asked so far
   dump            print "I COUNT t1 t2 ..." for each device: questions since the mark and when they came, in seconds
                   of CLOCK_MONOTONIC (the first KEPT of them), then "." */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 256, KEPT = 2048, FRAME = 300 };

struct device {
    int listener, connection, hung, pending;
    size_t heard;
    long asked;
    double due, at[KEPT];
    uint8_t question[FRAME], answer[FRAME];
    size_t answer_size;
};

static struct device devices[MOST];
static int poller, count, first_port;
static double turnaround;
static uint32_t ticks;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

static void die(const char *what) {
    perror(what);
    exit(1);
}

static void watch(int file, int kind, int index) {
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = ((uint64_t)kind << 32) | (uint32_t)index};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, file, &event) < 0) die("epoll_ctl");
}

static void hear(int index) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(first_port + index)};
    int yes = 1, file = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(file, (struct sockaddr *)&address, sizeof address) < 0) die("bind");
    if (listen(file, 8) < 0) die("listen");
    devices[index].listener = file;
    watch(file, 1, index);
}

static void drop(struct device *device) {
    if (device->connection >= 0) close(device->connection);
    device->connection = -1;
    device->heard = 0;
    device->pending = 0;
}

static void welcome(int index) {
    struct device *device = &devices[index];
    int yes = 1, file = accept4(device->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (file < 0) return;
    drop(device);
    setsockopt(file, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    device->connection = file;
    watch(file, 2, index);
}

static void send_answer(struct device *device) {
    device->pending = 0;
    if (device->connection >= 0 && write(device->connection, device->answer, device->answer_size) < 0) drop(device);
}

static void answer(struct device *device) {
    uint8_t *q = device->question, *a = device->answer;
    unsigned registers = (q[10] << 8) | q[11];
    if (device->asked < KEPT) device->at[device->asked] = now();
    device->asked++;
    if (device->hung) return;
    memcpy(a, q, 8);
    if (q[7] == 4 && registers >= 1 && registers <= 125) {
        a[8] = 2 * registers;
        ticks++;
        for (unsigned i = 0; i + 1 < registers; i += 2) {
            float value = (float)((ticks + 7 * i) % 100000) * 0.01f;
            uint32_t bits;
            memcpy(&bits, &value, 4);
            bits = htonl(bits);
            memcpy(a + 9 + 2 * i, &bits, 4);
        }
        device->answer_size = 9 + 2 * registers;
    } else {
        a[7] |= 0x80;
        a[8] = 1;
        device->answer_size = 9;
    }
    a[4] = 0;
    a[5] = device->answer_size - 6;
    if (turnaround > 0) {
        device->pending = 1;
        device->due = now() + turnaround;
    } else {
        send_answer(device);
    }
}

static void listen_to(struct device *device) {
    ssize_t got = read(device->connection, device->question + device->heard, FRAME - device->heard);
    if (got < 0 && errno == EAGAIN) return; /* an event of the connection before this one */
    if (got <= 0) {
        drop(device);
        return;
    }
    device->heard += got;
    while (device->heard >= 12) {
        size_t size = 6 + ((device->question[4] << 8) | device->question[5]);
        if (size < 12 || size > FRAME) {
            drop(device);
            return;
        }
        if (device->heard < size) return;
        answer(device);
        if (device->connection < 0) return;
        memmove(device->question, device->question + size, device->heard - size);
        device->heard -= size;
    }
}

static void dump(void) {
    for (int i = 0; i < count; i++) {
        struct device *device = &devices[i];
        long kept = device->asked < KEPT ? device->asked : KEPT;
        printf("%d %ld", i, device->asked);
        for (long n = 0; n < kept; n++) printf(" %.6f", device->at[n]);
        printf("\n");
    }
    printf(".\n");
}

static void obey(const char *line) {
    int index = -1;
    double value;
    if (sscanf(line, "turnaround %lf", &value) == 1) turnaround = value * 1e-6;
    else if (strncmp(line, "mark", 4) == 0) for (int i = 0; i < count; i++) devices[i].asked = 0;
    else if (strncmp(line, "dump", 4) == 0) dump();
    else if (sscanf(line, "hang %d", &index) == 1) devices[index].hung = 1;
    else if (sscanf(line, "wake %d", &index) == 1) devices[index].hung = 0;
    else if (sscanf(line, "open %d", &index) == 1) hear(index);
    else if (sscanf(line, "close %d", &index) == 1) {
        close(devices[index].listener);
        drop(&devices[index]);
    }
    fflush(stdout);
}

static int milliseconds_to_next(void) {
    double earliest = -1;
    if (turnaround <= 0) return -1;
    for (int i = 0; i < count; i++)
        if (devices[i].pending && (earliest < 0 || devices[i].due < earliest)) earliest = devices[i].due;
    if (earliest < 0) return -1;
    double wait = (earliest - now()) * 1000;
    return wait < 0 ? 0 : (int)wait;
}

int main(int arguments, char **given) {
    struct epoll_event events[64];
    if (arguments != 3) return 2;
    count = atoi(given[1]);
    first_port = atoi(given[2]);
    if (count < 1 || count > MOST) return 2;
    poller = epoll_create1(EPOLL_CLOEXEC);
    for (int i = 0; i < count; i++) {
        devices[i].connection = -1;
        hear(i);
    }
    watch(0, 0, 0);
    printf("ready\n");
    fflush(stdout);
    for (;;) {
        int ready = epoll_wait(poller, events, 64, milliseconds_to_next());
        for (int n = 0; n < ready; n++) {
            int kind = events[n].data.u64 >> 32, index = (int)(uint32_t)events[n].data.u64;
            if (kind == 0) {
                char line[4096];
                ssize_t got = read(0, line, sizeof line - 1);
                if (got <= 0) return 0;
                line[got] = 0;
                for (char *rest = line, *one; (one = strsep(&rest, "\n")) && *one;) obey(one);
            } else if (kind == 1) {
                welcome(index);
            } else if (devices[index].connection >= 0) {
                listen_to(&devices[index]);
            }
        }
        if (turnaround > 0)
            for (int i = 0; i < count; i++)
                if (devices[i].pending && devices[i].due <= now()) send_answer(&devices[i]);
    }
}
