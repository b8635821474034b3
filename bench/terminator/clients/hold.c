/* Opens many TLS connections and keeps them idle; shows that each is alive when asked.
 *
 *   hold --port N --connections N [--staple FILE]
 *
 * Prints "ready" when all are open. Each line on stdin makes it echo once on every connection and print "alive" and how
 * many did; the end of stdin ends it. */
#include "tls.h"

enum { THREADS = 4 };

static SSL **held;
static int next, alive;
static const char *failure;

static void *connectSome(void *argument) {
  (void)argument;
  for (int i; failure == NULL && (i = __atomic_fetch_add(&next, 1, __ATOMIC_RELAXED)) < connections;) {
    const char *why = NULL;
    held[i] = connectTls(&why);
    if (why != NULL) failure = why;
  }
  return NULL;
}

static void *echoSome(void *argument) {
  (void)argument;
  for (int i; failure == NULL && (i = __atomic_fetch_add(&next, 1, __ATOMIC_RELAXED)) < connections;) {
    const char *why = echoOnce(held[i], i);
    if (why != NULL) failure = why;
    else __atomic_fetch_add(&alive, 1, __ATOMIC_RELAXED);
  }
  return NULL;
}

static void inThreads(void *(*work)(void *)) {
  pthread_t threads[THREADS];
  next = 0;
  for (int i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, work, NULL);
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
  if (failure != NULL) fprintf(stderr, "hold: %s\n", failure), exit(1);
}

int main(int argc, char **argv) {
  char line[64];
  start(argc, argv);
  held = calloc(connections, sizeof *held);
  inThreads(connectSome);
  printf("ready\n");
  fflush(stdout);
  while (fgets(line, sizeof line, stdin) != NULL) {
    alive = 0;
    inThreads(echoSome);
    printf("alive %d\n", alive);
    fflush(stdout);
  }
  return 0;
}
