/* The client of bench/handshake: full TLS 1.3 handshakes, one after the other, in a few threads.
 *
 *   client --port N [--seconds S | --count N] [--connections N] [--staple FILE | --unstapled] [--backend]
 *
 * Every handshake is the same work for every server: status_request is asked for, the key share is X25519, the
 * cipher AES-128-GCM, nothing is resumed. It counts only if it is TLS 1.3, came with leaf and intermediate,
 * and carried exactly the bytes of FILE as its staple (--staple) or none (--unstapled).
 * Without --backend the client then closes in order: close_notify, FIN, and waits for the server's FIN.
 * With --backend it sends nothing, reads the backend's one byte and its end first, and closes then.
 * Prints one line of JSON; exit code 1 when any handshake failed. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static int port, count, connections = 2, backend, mustBeUnstapled;
static double seconds;
static unsigned char *staple;
static long stapleLength;
static SSL_CTX *context;
static double endAt;
static int remaining;

struct tally {
  long handshakes, stapled, failures;
  char firstFailure[160];
};

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static const char *judge(SSL *ssl, struct tally *tally) {
  const unsigned char *received;
  long length = SSL_get_tlsext_status_ocsp_resp(ssl, &received);
  STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);
  if (length > 0) tally->stapled++;
  if (SSL_version(ssl) != TLS1_3_VERSION) return "not TLS 1.3";
  if (SSL_session_reused(ssl)) return "resumed";
  if (SSL_get_negotiated_group(ssl) != NID_X25519) return "not X25519";
  if (chain == NULL || sk_X509_num(chain) != 2) return "chain is not leaf and intermediate";
  if (mustBeUnstapled && length > 0) return "a staple came, none was expected";
  if (staple != NULL && length <= 0) return "no staple came";
  if (staple != NULL && (length != stapleLength || memcmp(received, staple, length) != 0)) return "another staple came";
  return NULL;
}

static const char *connectOnce(struct tally *tally) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  struct timeval timeout = {.tv_sec = 10};
  int on = 1, got;
  char byte[512];
  const char *failure;
  SSL *ssl;
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (fd < 0) return "socket() failed";
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
  if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
    close(fd);
    return "connect() failed";
  }
  ssl = SSL_new(context);
  SSL_set_fd(ssl, fd);
  SSL_set_tlsext_host_name(ssl, "localhost");
  SSL_set_tlsext_status_type(ssl, TLSEXT_STATUSTYPE_ocsp);
  if (SSL_connect(ssl) != 1) {
    unsigned long code = ERR_get_error();
    failure = code != 0 ? ERR_reason_error_string(code) : "connection lost in the handshake";
    ERR_clear_error();
    goto done;
  }
  failure = judge(ssl, tally);
  if (failure != NULL) goto done;
  if (backend) {
    got = SSL_read(ssl, byte, 1);
    if (got != 1) {
      failure = "the backend's byte did not come";
      goto done;
    }
    if (SSL_read(ssl, byte, 1) > 0) {
      failure = "more than the backend's byte came";
      goto done;
    }
    ERR_clear_error();
  }
  SSL_shutdown(ssl);
  shutdown(fd, SHUT_WR);
  while ((got = recv(fd, byte, sizeof byte, 0)) > 0) {
  }
  /* A front that has closed both ways answers our close_notify with RST: it is done all the same. */
  if (got < 0 && !(backend && errno == ECONNRESET)) failure = errno == EAGAIN ? "the server does not close" : "reset";
done:
  ERR_clear_error();
  SSL_free(ssl);
  close(fd);
  return failure;
}

static void *work(void *argument) {
  struct tally *tally = argument;
  while (count > 0 ? __atomic_fetch_sub(&remaining, 1, __ATOMIC_RELAXED) > 0 : now() < endAt) {
    const char *failure = connectOnce(tally);
    if (failure == NULL) {
      tally->handshakes++;
    } else {
      if (tally->failures++ == 0) snprintf(tally->firstFailure, sizeof tally->firstFailure, "%s", failure);
      if (tally->failures > 20) break;
    }
  }
  return NULL;
}

static void readStaple(const char *path) {
  FILE *file = fopen(path, "rb");
  staple = malloc(65536);
  if (file == NULL || staple == NULL) {
    perror(path);
    exit(2);
  }
  stapleLength = fread(staple, 1, 65536, file);
  fclose(file);
}

int main(int argc, char **argv) {
  pthread_t threads[64];
  struct tally tallies[64];
  struct tally sum = {0};
  double startedAt;
  int i;
  for (i = 1; i < argc; i++) {
    const char *value = i + 1 < argc ? argv[i + 1] : "";
    if (strcmp(argv[i], "--unstapled") == 0) mustBeUnstapled = 1;
    else if (strcmp(argv[i], "--backend") == 0) backend = 1;
    else if (strcmp(argv[i], "--port") == 0) port = atoi(value), i++;
    else if (strcmp(argv[i], "--count") == 0) count = atoi(value), i++;
    else if (strcmp(argv[i], "--seconds") == 0) seconds = atof(value), i++;
    else if (strcmp(argv[i], "--connections") == 0) connections = atoi(value), i++;
    else if (strcmp(argv[i], "--staple") == 0) readStaple(value), i++;
    else return fprintf(stderr, "client: unknown option %s\n", argv[i]), 2;
  }
  if (port == 0 || (count <= 0 && seconds <= 0) || connections < 1 || connections > 64)
    return fprintf(stderr, "client: --port and --count or --seconds are needed\n"), 2;
  signal(SIGPIPE, SIG_IGN);
  context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  if (SSL_CTX_set1_groups_list(context, "X25519") != 1) return fprintf(stderr, "client: no X25519\n"), 2;
  if (SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256") != 1) return fprintf(stderr, "client: no cipher\n"), 2;

  memset(tallies, 0, sizeof tallies);
  remaining = count;
  startedAt = now();
  endAt = startedAt + seconds;
  for (i = 0; i < connections; i++) pthread_create(&threads[i], NULL, work, &tallies[i]);
  for (i = 0; i < connections; i++) {
    pthread_join(threads[i], NULL);
    sum.handshakes += tallies[i].handshakes;
    sum.stapled += tallies[i].stapled;
    sum.failures += tallies[i].failures;
    if (sum.firstFailure[0] == 0) memcpy(sum.firstFailure, tallies[i].firstFailure, sizeof sum.firstFailure);
  }
  printf("{\"handshakes\":%ld,\"stapled\":%ld,\"failures\":%ld,\"firstFailure\":\"%s\",\"seconds\":%.3f}\n", sum.handshakes,
         sum.stapled, sum.failures, sum.firstFailure, now() - startedAt);
  return sum.failures > 0 || sum.handshakes == 0;
}
