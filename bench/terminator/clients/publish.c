/* A NATS client that publishes as fast as the server takes it, for so many seconds.
 *
 *   publish --port N --seconds S [--info-first] [--staple FILE]
 *
 * The INFO line comes in TLS, as behind a front; with --info-first in the clear, before TLS, as from nats-server. Messages
 * have 64 KiB; after each block of 4 MiB a PING must be answered, so all before it has been read by the server. Prints
 * "ready", waits for a line on stdin, publishes, prints the bytes of payload as JSON and waits for another line. */
#include "tls.h"

enum { BLOCK = 4 << 20 };

static int readLine(SSL *ssl, char *line, int size) {
  int length = 0;
  while (length < size - 1) {
    if (SSL_read(ssl, line + length, 1) != 1) return 0;
    if (line[length++] == '\n') break;
  }
  line[length] = 0;
  return 1;
}

static const char *publishBlock(SSL *ssl) {
  static char message[CHUNK + 64];
  char line[8192];
  int head = snprintf(message, 64, "PUB bench %d\r\n", CHUNK);
  memcpy(message + head, patternAt(0), CHUNK);
  memcpy(message + head + CHUNK, "\r\n", 2);
  for (int at = 0; at < BLOCK; at += CHUNK)
    if (!writeAll(ssl, message, head + CHUNK + 2)) return "publishing broke off";
  if (!writeAll(ssl, "PING\r\n", 6)) return "publishing broke off";
  do {
    if (!readLine(ssl, line, sizeof line)) return "no PONG came";
    if (strncmp(line, "-ERR", 4) == 0) return "the server refused";
    if (strncmp(line, "PING", 4) == 0) writeAll(ssl, "PONG\r\n", 6);
  } while (strncmp(line, "PONG", 4) != 0);
  return NULL;
}

int main(int argc, char **argv) {
  const char *failure = NULL, *hello = "CONNECT {\"verbose\":false,\"pedantic\":false}\r\n";
  char line[8192];
  uint64_t bytes = 0;
  start(argc, argv);
  SSL *ssl = connectTls(&failure);
  if (ssl != NULL && !isInfoFirst && !readLine(ssl, line, sizeof line)) failure = "no INFO came";
  if (failure == NULL && !writeAll(ssl, hello, strlen(hello))) failure = "CONNECT failed";
  if (failure == NULL) failure = publishBlock(ssl);
  if (failure != NULL) return fprintf(stderr, "publish: %s\n", failure), 1;
  printf("ready\n");
  fflush(stdout);
  if (getchar() == EOF) return 1;
  double startedAt = now();
  while (failure == NULL && now() < startedAt + seconds) {
    failure = publishBlock(ssl);
    bytes += BLOCK;
  }
  if (failure != NULL) return fprintf(stderr, "publish: %s\n", failure), 1;
  printf("{\"bytes\":%lu,\"seconds\":%.6f}\n", bytes, now() - startedAt);
  fflush(stdout);
  getchar();
  closeTls(ssl);
  return 0;
}
