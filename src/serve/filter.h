/* Kernel-side filters: only what may concern the responder reaches the process. */
#ifndef RETOUR_SERVE_FILTER_H
#define RETOUR_SERVE_FILTER_H

#include <stdint.h>

#include "base/compiler.h"

/* Requests and answers come through sockets of their own, so that a flood of requests cannot crowd out the
 * answers to honest ones. */
enum filter_kind { FILTER_REQUESTS, FILTER_ANSWERS };

/* Attach to a packet socket (SOCK_DGRAM: data starts at the IP header) before it is bound, and lock. 0 or
 * negative errno. */
int filter_attach(int fd, uint8_t family, enum filter_kind kind, uint16_t port, uint8_t icmp_prefix) MUST_USE;
/* Let nothing through. */
int filter_attach_none(int fd) MUST_USE;

#endif
