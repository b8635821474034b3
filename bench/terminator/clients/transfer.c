/* Bytes through a front as fast as it takes them, for so many seconds, on so many connections (a thread each).
 *
 *   transfer --port N --direction up|down --connections N --seconds S [--staple FILE]
 *
 * Up: blocks of the pattern go to the backend, which says how many bytes arrived intact. Down: blocks come back and are
 * compared here. A block that is not whole and intact is a failure. Connecting is over before the clock starts, so the
 * server's CPU time is to be read between the two lines that this prints: "ready", then, after a line on stdin, JSON. */
#include "tls.h"

enum { BLOCK = 4 << 20 };

static double endAt;

struct stream {
  SSL *ssl;
  uint64_t bytes;
  const char *failure;
};

static const char *askBlock(SSL *ssl) {
  unsigned char ask[ASK_BYTES];
  writeAsk(ask, letter, BLOCK);
  if (!writeAll(ssl, ask, ASK_BYTES)) return "a block could not be asked for";
  for (int at = 0; letter == 'U' && at < BLOCK; at += CHUNK)
    if (!writeAll(ssl, patternAt(at), CHUNK)) return "the upload broke off";
  return NULL;
}

static const char *proveBlock(SSL *ssl) {
  static __thread unsigned char buffer[16384];
  uint64_t intact;
  if (letter == 'U') {
    if (!readAll(ssl, &intact, 8)) return "the backend did not count";
    return intact == BLOCK ? NULL : "bytes arrived damaged";
  }
  for (int at = 0, got; at < BLOCK; at += got) {
    got = SSL_read(ssl, buffer, BLOCK - at < (int)sizeof buffer ? BLOCK - at : (int)sizeof buffer);
    if (got <= 0) return "the download broke off";
    if (memcmp(buffer, patternAt(at), got) != 0) return "bytes came damaged";
  }
  return NULL;
}

/* Always one block ahead, so that bytes flow without a pause: a front that leaves Nagle's algorithm on would else be
 * measured by the 40 ms that it waits at the end of each block. */
static void *move(void *argument) {
  struct stream *stream = argument;
  stream->failure = askBlock(stream->ssl);
  while (stream->failure == NULL) {
    int isLast = now() >= endAt;
    if (!isLast) stream->failure = askBlock(stream->ssl);
    if (stream->failure == NULL) stream->failure = proveBlock(stream->ssl);
    if (stream->failure == NULL) stream->bytes += BLOCK;
    if (isLast) break;
  }
  return NULL;
}

int main(int argc, char **argv) {
  const char *failure = NULL;
  uint64_t bytes = 0;
  double startedAt;
  start(argc, argv);
  if (letter == 0 || seconds <= 0) return fprintf(stderr, "transfer: --direction and --seconds are needed\n"), 2;
  struct stream *streams = calloc(connections, sizeof *streams);
  pthread_t *threads = calloc(connections, sizeof *threads);
  for (int i = 0; i < connections; i++) {
    streams[i].ssl = connectTls(&failure);
    /* Also proves that the backend is there, and takes first-use costs out of the measured time. */
    if (failure == NULL) failure = askBlock(streams[i].ssl);
    if (failure == NULL) failure = proveBlock(streams[i].ssl);
    if (failure != NULL) return fprintf(stderr, "transfer: %s\n", failure), 1;
  }
  printf("ready\n");
  fflush(stdout);
  if (getchar() == EOF) return 1;
  startedAt = now();
  endAt = startedAt + seconds;
  for (int i = 0; i < connections; i++) pthread_create(&threads[i], NULL, move, &streams[i]);
  for (int i = 0; i < connections; i++) {
    pthread_join(threads[i], NULL);
    bytes += streams[i].bytes;
    if (failure == NULL) failure = streams[i].failure;
  }
  if (failure != NULL) return fprintf(stderr, "transfer: %s\n", failure), 1;
  printf("{\"bytes\":%lu,\"seconds\":%.6f}\n", bytes, now() - startedAt);
  fflush(stdout);
  /* The connections stay until the server's CPU time has been read. */
  getchar();
  for (int i = 0; i < connections; i++) closeTls(streams[i].ssl);
  return 0;
}
