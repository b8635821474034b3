/* The backend behind every front of bench/handshake: accepts, answers one byte, closes.
 *
 *   backend PORT */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv) {
  struct sockaddr_in address = {.sin_family = AF_INET};
  int on = 1;
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  if (argc < 2) return fprintf(stderr, "usage: backend PORT\n"), 2;
  address.sin_port = htons(atoi(argv[1]));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  signal(SIGPIPE, SIG_IGN);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 511) != 0)
    return perror("backend"), 1;
  for (;;) {
    int fd = accept(listener, NULL, NULL);
    if (fd < 0) continue;
    if (write(fd, "!", 1) != 1) perror("backend");
    close(fd);
  }
}
