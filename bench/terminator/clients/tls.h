/* How the clients of bench/terminator connect: TLS 1.3, X25519, AES-128-GCM, nothing resumed, a staple asked for. A
 * connection with anything else, or with other bytes than the staple of --staple, is a failure. */
#ifndef TLS_H
#define TLS_H
#include "wire.h"
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static int port, connections = 1, isInfoFirst;
static double seconds;
static char letter;
static unsigned char staple[65536];
static long stapleLength = -1; /* -1: none must come */
static SSL_CTX *context;

static inline double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static inline const char *judge(SSL *ssl) {
  const unsigned char *received;
  long length = SSL_get_tlsext_status_ocsp_resp(ssl, &received);
  if (SSL_version(ssl) != TLS1_3_VERSION) return "not TLS 1.3";
  if (SSL_CIPHER_get_protocol_id(SSL_get_current_cipher(ssl)) != 0x1301) return "not AES-128-GCM";
  if (SSL_session_reused(ssl)) return "resumed";
  if (length > 0 && stapleLength < 0) return "a staple came, none was expected";
  if (length <= 0 && stapleLength >= 0) return "no staple came";
  if (stapleLength >= 0 && (length != stapleLength || memcmp(received, staple, length) != 0)) return "another staple came";
  return NULL;
}

/* nats-server speaks first, in the clear, and waits for TLS then. */
static inline int skipInfo(int fd) {
  char byte = 0;
  while (byte != '\n')
    if (recv(fd, &byte, 1, 0) != 1) return 0;
  return 1;
}

/* A connection whose handshake is done; else NULL, and why. */
static inline SSL *connectTls(const char **failure) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  struct timeval timeout = {.tv_sec = 20};
  int on = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
  SSL *ssl = SSL_new(context);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
  SSL_set_fd(ssl, fd);
  SSL_set_tlsext_host_name(ssl, "localhost");
  SSL_set_tlsext_status_type(ssl, TLSEXT_STATUSTYPE_ocsp);
  if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0) *failure = "connect() failed";
  else if (isInfoFirst && !skipInfo(fd)) *failure = "no INFO came";
  else if (SSL_connect(ssl) != 1) *failure = "the handshake failed";
  else if ((*failure = judge(ssl)) == NULL) return ssl;
  ERR_clear_error();
  SSL_free(ssl);
  if (fd >= 0) close(fd);
  return NULL;
}

static inline void closeTls(SSL *ssl) {
  int fd = SSL_get_fd(ssl);
  SSL_shutdown(ssl);
  SSL_free(ssl);
  close(fd);
}

static inline int writeAll(SSL *ssl, const void *bytes, int length) { return SSL_write(ssl, bytes, length) == length; }

static inline int readAll(SSL *ssl, void *bytes, int length) {
  for (int have = 0; have < length;) {
    int got = SSL_read(ssl, (char *)bytes + have, length - have);
    if (got <= 0) return 0;
    have += got;
  }
  return 1;
}

/* One small message there and back. */
static inline const char *echoOnce(SSL *ssl, unsigned seed) {
  unsigned char ask[ASK_BYTES + ECHO_BYTES], back[ECHO_BYTES];
  writeAsk(ask, 'E', ECHO_BYTES);
  memcpy(ask + ASK_BYTES, patternAt(seed), ECHO_BYTES);
  if (!writeAll(ssl, ask, sizeof ask)) return "the echo could not be asked for";
  if (!readAll(ssl, back, ECHO_BYTES)) return "the echo did not come";
  return memcmp(back, ask + ASK_BYTES, ECHO_BYTES) == 0 ? NULL : "the echo was another";
}

static inline void start(int argc, char **argv) {
  for (int i = 1; i < argc; i++) {
    const char *value = i + 1 < argc ? argv[i + 1] : "";
    if (strcmp(argv[i], "--port") == 0) port = atoi(value), i++;
    else if (strcmp(argv[i], "--connections") == 0) connections = atoi(value), i++;
    else if (strcmp(argv[i], "--seconds") == 0) seconds = atof(value), i++;
    else if (strcmp(argv[i], "--direction") == 0) letter = strcmp(value, "up") == 0 ? 'U' : 'D', i++;
    else if (strcmp(argv[i], "--info-first") == 0) isInfoFirst = 1;
    else if (strcmp(argv[i], "--staple") == 0) {
      FILE *file = fopen(value, "rb");
      if (file == NULL) perror(value), exit(2);
      stapleLength = fread(staple, 1, sizeof staple, file);
      fclose(file), i++;
    } else if (strcmp(argv[i], "--unstapled") != 0) fprintf(stderr, "unknown option %s\n", argv[i]), exit(2);
  }
  if (port == 0 || connections < 1) fprintf(stderr, "--port is needed\n"), exit(2);
  signal(SIGPIPE, SIG_IGN);
  makePattern();
  context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  if (SSL_CTX_set1_groups_list(context, "X25519") != 1 ||
      SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256") != 1)
    fprintf(stderr, "no X25519 or no AES-128-GCM\n"), exit(2);
}
#endif
