/* A route server: a router that lets anybody in. telnet.h leads the talk. */
#include "reverse/lg.h"

const struct lg_kind lg_telnet = {.type = "telnet", .peer_traces = true, .telnet = true};
