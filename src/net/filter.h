/* A socket filter (classic BPF), so that a raw socket sees answers to us and not all that the host receives.
 */
#ifndef RETOUR_NET_FILTER_H
#define RETOUR_NET_FILTER_H

#include <stdint.h>

/* On a raw socket of TCP, UDP or UDP-Lite: only what comes to one of `count` ports from `port` on, and was
 * not there before. 0 or negative errno. */
int filter_ports(int fd, uint8_t family, uint16_t port, uint16_t count);

#endif
