/* An interactive client: a small message there and back, a pause of a millisecond, the next, for so many seconds.
 *
 *   echo --port N --seconds S [--staple FILE]
 *
 * Prints the times of all echoes as one line of JSON, in microseconds, the quickest first. */
#include "tls.h"

enum { MOST = 1 << 20 };

static int compare(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

int main(int argc, char **argv) {
  const char *failure = NULL;
  double *times = calloc(MOST, sizeof *times);
  struct timespec pause = {.tv_nsec = 1000000};
  int count = 0;
  start(argc, argv);
  SSL *ssl = connectTls(&failure);
  for (int i = 0; failure == NULL && i < 20; i++) failure = echoOnce(ssl, i);
  for (double endAt = now() + seconds; failure == NULL && now() < endAt && count < MOST; count++) {
    double askedAt = now();
    failure = echoOnce(ssl, count);
    times[count] = (now() - askedAt) * 1e6;
    nanosleep(&pause, NULL);
  }
  if (failure != NULL) return fprintf(stderr, "echo: %s\n", failure), 1;
  qsort(times, count, sizeof *times, compare);
  printf("[");
  for (int i = 0; i < count; i++) printf("%s%.1f", i > 0 ? "," : "", times[i]);
  printf("]\n");
  closeTls(ssl);
  return 0;
}
