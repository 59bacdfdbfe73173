/* What this process may do with sockets, found out by doing it: on the loopback interface, and for a moment.
 */
#ifndef RETOUR_NET_TRIAL_H
#define RETOUR_NET_TRIAL_H

#include <stdbool.h>
#include <stdint.h>

/* 0: works; else a negative errno. -ETIMEDOUT: all was allowed and nothing came. */
struct trial {
	int raw;	 /* a raw socket that writes its own headers */
	int ping;	 /* an ICMP echo socket without privilege */
	int error_queue; /* an ICMP error about our own datagram, read off the error queue */
	int transmit_stamp, receive_stamp; /* the kernel's software timestamps */
};

void trial_run(uint8_t family, struct trial *trial);
/* May a child make a user and a network namespace? 0 or negative errno. */
int trial_namespaces(void);

#endif
