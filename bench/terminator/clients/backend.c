/* The backend behind every front of bench/terminator: takes bytes, gives bytes, gives them back. wire.h has what it
 * is asked. One thread and epoll, since it holds ten thousand idle connections as well.
 *
 *   backend PORT */
#include "wire.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

struct connection {
  int fd;
  char letter; /* 0: the next bytes are an ask */
  int have;    /* bytes of the ask or the echo */
  unsigned char held[ECHO_BYTES];
  uint64_t length, moved, intact;
  int isWaiting; /* for room to write */
};

static int queue;

static void watch(struct connection *one, int operation, uint32_t events) {
  struct epoll_event event = {.events = events, .data.ptr = one};
  epoll_ctl(queue, operation, one->fd, &event);
}

static void waitForRoom(struct connection *one, int isWaiting) {
  if (one->isWaiting == isWaiting) return;
  one->isWaiting = isWaiting;
  watch(one, EPOLL_CTL_MOD, isWaiting ? EPOLLOUT : EPOLLIN);
}

/* Answers are eight or a few bytes: a socket that has no room for them is one that nobody reads. */
static int answer(struct connection *one, const void *bytes, int length) {
  return send(one->fd, bytes, length, MSG_NOSIGNAL) == length ? 0 : -1;
}

/* Each returns -1 when the connection is over, 0 when it must wait, 1 when it can go on. */
static int give(struct connection *one) {
  while (one->moved < one->length) {
    uint64_t left = one->length - one->moved;
    ssize_t sent = send(one->fd, patternAt(one->moved), left < CHUNK ? left : CHUNK, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) {
      if (errno != EAGAIN) return -1;
      waitForRoom(one, 1);
      return 0;
    }
    one->moved += sent;
  }
  waitForRoom(one, 0);
  one->letter = 0;
  return 1;
}

static int take(struct connection *one) {
  static unsigned char buffer[CHUNK];
  uint64_t left = one->length - one->moved;
  ssize_t got = recv(one->fd, buffer, left < CHUNK ? left : CHUNK, MSG_DONTWAIT);
  if (got <= 0) return got < 0 && errno == EAGAIN ? 0 : -1;
  if (memcmp(buffer, patternAt(one->moved), got) == 0) one->intact += got;
  one->moved += got;
  if (one->moved < one->length) return 1;
  one->letter = 0;
  return answer(one, &one->intact, 8) == 0 ? 1 : -1;
}

static int fill(struct connection *one, int wanted) {
  ssize_t got = recv(one->fd, one->held + one->have, wanted - one->have, MSG_DONTWAIT);
  if (got <= 0) return got < 0 && errno == EAGAIN ? 0 : -1;
  one->have += got;
  return 1;
}

static int echo(struct connection *one) {
  int state = fill(one, one->length);
  if (state != 1 || one->have < (int)one->length) return state;
  one->have = one->letter = 0;
  return answer(one, one->held, one->length) == 0 ? 1 : -1;
}

static int hear(struct connection *one) {
  int state = fill(one, ASK_BYTES);
  if (state != 1 || one->have < ASK_BYTES) return state;
  one->letter = one->held[0];
  memcpy(&one->length, one->held + 1, 8);
  one->have = one->moved = one->intact = 0;
  return one->letter == 'E' && one->length > ECHO_BYTES ? -1 : 1;
}

static int serve(struct connection *one) {
  switch (one->letter) {
  case 0: return hear(one);
  case 'U': return take(one);
  case 'D': return give(one);
  case 'E': return echo(one);
  default: return -1;
  }
}

int main(int argc, char **argv) {
  struct sockaddr_in address = {.sin_family = AF_INET};
  struct epoll_event events[256];
  struct connection *entrance = calloc(1, sizeof *entrance);
  int on = 1;
  if (argc < 2) return fprintf(stderr, "usage: backend PORT\n"), 2;
  makePattern();
  signal(SIGPIPE, SIG_IGN);
  address.sin_port = htons(atoi(argv[1]));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  entrance->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  setsockopt(entrance->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(entrance->fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(entrance->fd, 4096) != 0)
    return perror("backend"), 1;
  queue = epoll_create1(0);
  watch(entrance, EPOLL_CTL_ADD, EPOLLIN);
  for (;;) {
    int ready = epoll_wait(queue, events, 256, -1);
    for (int i = 0; i < ready; i++) {
      struct connection *one = events[i].data.ptr;
      if (one == entrance) {
        int fd = accept(entrance->fd, NULL, NULL);
        if (fd < 0) continue;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        one = calloc(1, sizeof *one);
        one->fd = fd;
        watch(one, EPOLL_CTL_ADD, EPOLLIN);
        continue;
      }
      /* A few turns, then the next connection: one that sends without a pause must not starve the others. */
      int state = 1;
      for (int turn = 0; turn < 16 && state == 1; turn++) state = serve(one);
      if (state < 0) {
        close(one->fd);
        free(one);
      }
    }
  }
}
