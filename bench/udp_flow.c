/* A flow of small UDP packets, for bench/lab_tun.sh.
 *
 *   udp_flow receive PORT SECONDS               prints how many came
 *   udp_flow send ADDRESS PORT RATE SECONDS     RATE packets a second, evenly; prints how many left */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

#include "base/clock.h"
#include "base/compiler.h"

#define PAYLOAD_BYTES 60
#define BUFFER_BYTES  (8 << 20)
#define RATE_MAX      2000000
#define SECONDS_MAX   60
#define SLEEP_NS      (100 * NS_PER_US) /* packets leave in bursts this far apart */

static int open_socket(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), bytes = BUFFER_BYTES;
	if (fd < 0) {
		perror("socket");
		exit(1);
	}
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes));
	return fd;
}

static struct sockaddr_in address_of(const char *text, const char *port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons((uint16_t)strtoul(port, NULL, 10))};
	if (inet_pton(AF_INET, text, &address.sin_addr) != 1) {
		fprintf(stderr, "%s: expected an IPv4 address\n", text);
		exit(1);
	}
	return address;
}

static int receive(const char *port, unsigned seconds)
{
	struct sockaddr_in address = address_of("0.0.0.0", port);
	struct timeval patience = {.tv_usec = 100000};
	int64_t end_ns = clock_monotonic_ns() + seconds * NS_PER_S;
	unsigned long count = 0;
	char bytes[2048];
	int fd = open_socket();
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		perror("bind");
		return 1;
	}
	while (clock_monotonic_ns() < end_ns)
		count += recv(fd, bytes, sizeof(bytes), 0) >= 0;
	printf("%lu\n", count);
	return 0;
}

static int send_flow(const struct sockaddr_in *to, unsigned rate, unsigned seconds)
{
	static const char bytes[PAYLOAD_BYTES];
	unsigned long sent = 0, total = (unsigned long)rate * seconds;
	int64_t start_ns = clock_monotonic_ns();
	int fd = open_socket();
	if (connect(fd, (const struct sockaddr *)to, sizeof(*to)) < 0) {
		perror("connect");
		return 1;
	}
	while (sent < total) {
		int64_t now_ns = clock_monotonic_ns() - start_ns;
		unsigned long due = (unsigned long)((double)now_ns * rate / NS_PER_S);
		if (now_ns > (seconds + 1) * NS_PER_S)
			break;
		for (; sent < due && sent < total; sent++)
			(void)send(fd, bytes, sizeof(bytes), 0);
		clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){.tv_nsec = SLEEP_NS}, NULL);
	}
	printf("%lu\n", sent);
	return 0;
}

int main(int argc, char **argv)
{
	unsigned seconds = argc > 3 ? (unsigned)strtoul(argv[argc - 1], NULL, 10) : 0;
	if (seconds < 1 || seconds > SECONDS_MAX)
		return 2;
	if (argc == 4 && strcmp(argv[1], "receive") == 0)
		return receive(argv[2], seconds);
	unsigned rate = argc == 6 ? (unsigned)strtoul(argv[4], NULL, 10) : 0;
	if (rate < 1 || rate > RATE_MAX || strcmp(argv[1], "send") != 0)
		return 2;
	struct sockaddr_in to = address_of(argv[2], argv[3]);
	return send_flow(&to, rate, seconds);
}
