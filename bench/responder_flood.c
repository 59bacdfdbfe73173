/* Forged requests to a responder, for bench/flood.sh. It must run in a network namespace of its own making:
 * it sends in the name of hosts of 11.0.0.0/8, which nobody there has.
 *
 *   responder_flood TARGET REQUESTS_PER_SECOND SECONDS
 *
 * Half of the requests are as short as the deployed clients' and half are padded, which is the dearer kind to
 * tell from honest ones. Prints how many were sent in how many seconds. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/clock.h"
#include "base/rng.h"
#include "packet/packet.h"
#include "packet/responder.h"

#define BATCH_MAX   512
#define BYTES_MAX   100
#define SECONDS_MAX 60
#define RATE_MAX    1000000

static size_t write_request(struct rng *rng, struct addr target, uint8_t *bytes)
{
	uint8_t body[BYTES_MAX];
	struct writer body_writer = writer_init(body, sizeof(body));
	struct responder_request request = {
		.ttl = (uint8_t)(1 + rng_below(rng, 8)),
		.protocol = PROTOCOL_UDP,
		.padding = rng_below(rng, 2) ? 68 : 0,
	};
	responder_request_write(&body_writer, &request);
	struct packet_spec spec = {
		.ip =
			{
				.source = addr_v4(0x0b000000 | (uint32_t)rng_below(rng, 1 << 24)),
				.destination = target,
				.ttl = 64,
				.protocol = PROTOCOL_ICMP,
			},
		.transport =
			{
				.icmp_kind = ICMP_ECHO_REQUEST,
				.icmp_type = ICMP4_ECHO_REQUEST,
				.icmp_code = RESPONDER_CODE,
				.icmp_id = (uint16_t)rng_u64(rng),
				.payload = body,
				.payload_length = body_writer.length,
			},
	};
	struct writer writer = writer_init(bytes, BYTES_MAX);
	return packet_write(&writer, &spec) < 0 ? 0 : writer.length;
}

/* How many of `count` went out. */
static unsigned send_batch(int fd, struct rng *rng, struct addr target, unsigned count)
{
	static uint8_t bytes[BATCH_MAX][BYTES_MAX];
	struct mmsghdr messages[BATCH_MAX];
	struct iovec vectors[BATCH_MAX];
	struct sockaddr_in to = {.sin_family = AF_INET};
	addr_to_bytes(target, (uint8_t *)&to.sin_addr);
	memset(messages, 0, sizeof(messages));
	for (unsigned i = 0; i < count; i++) {
		vectors[i] =
			(struct iovec){.iov_base = bytes[i], .iov_len = write_request(rng, target, bytes[i])};
		messages[i].msg_hdr = (struct msghdr){
			.msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = &vectors[i], .msg_iovlen = 1};
	}
	int sent = sendmmsg(fd, messages, count, 0);
	return sent < 0 ? 0 : (unsigned)sent;
}

int main(int argc, char **argv)
{
	struct addr target;
	unsigned long rate = argc == 4 ? strtoul(argv[2], NULL, 10) : 0;
	long seconds = argc == 4 ? strtol(argv[3], NULL, 10) : 0;
	if (rate < 1 || rate > RATE_MAX || seconds < 1 || seconds > SECONDS_MAX ||
		!addr_parse(argv[1], &target) || target.family != 4) {
		fputs("usage: responder_flood IPV4-ADDRESS REQUESTS-PER-SECOND SECONDS\n", stderr);
		return 3;
	}
	int fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
	if (fd < 0) {
		fprintf(stderr, "responder_flood: %s\n", strerror(errno));
		return 4;
	}
	struct rng rng = rng_seed(1);
	uint64_t sent = 0;
	int64_t start_ns = clock_monotonic_ns(), now_ns = start_ns, end_ns = start_ns + seconds * NS_PER_S;
	for (; now_ns < end_ns; now_ns = clock_monotonic_ns()) {
		uint64_t due = (uint64_t)((double)(now_ns - start_ns) * 1e-9 * (double)rate);
		if (due > sent)
			sent += send_batch(fd, &rng, target, (unsigned)MIN(due - sent, BATCH_MAX));
		else
			nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
	}
	printf("%llu %.3f\n", (unsigned long long)sent, (double)(now_ns - start_ns) * 1e-9);
	return 0;
}
