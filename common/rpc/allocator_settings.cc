// jemalloc's own setting, in every process that links it: memory that was given back is kept this long
// for what comes next. Buffers of requests and tables come and go by the second; returning their pages
// costs more than they hold, and interrupts all other threads.
extern "C" const char* malloc_conf;
const char* malloc_conf = "dirty_decay_ms:30000,muzzy_decay_ms:30000";
