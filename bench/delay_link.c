/* A cable with a length: every frame that arrives on one interface leaves by the other after a fixed delay.
 *
 *   delay_link INTERFACE INTERFACE DELAY_US
 *
 * Frames keep their order, so one queue a direction is enough and its head is always the next one due. The
 * kernel's arrival stamp starts the delay: the time a frame waited for this process is part of it. Frames are
 * read and written with the kernel's offload header, so a checksum that was left to the card stays left to
 * it. */
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <arpa/inet.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define FRAME_SIZE  2048
#define QUEUE_SLOTS 4096

struct frame {
	int64_t due_ns;
	size_t length;
	uint8_t bytes[FRAME_SIZE];
};

struct direction {
	int in, out;
	unsigned head, count;
	struct frame *queue;
};

static int64_t wall_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int open_interface(const char *name)
{
	int on = 1;
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, htons(ETH_P_ALL));
	struct sockaddr_ll link = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};

	link.sll_ifindex = (int)if_nametoindex(name);
	if (fd < 0 || link.sll_ifindex == 0 || bind(fd, (struct sockaddr *)&link, sizeof(link)) != 0 ||
		setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)) != 0 ||
		setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)) != 0 ||
		setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) != 0) {
		fprintf(stderr, "delay_link: %s: %s\n", name, strerror(errno));
		exit(1);
	}
	return fd;
}

static int64_t arrival_ns(struct msghdr *message)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
		struct timespec stamp;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS)
			continue;
		memcpy(&stamp, CMSG_DATA(c), sizeof(stamp));
		return (int64_t)stamp.tv_sec * 1000000000 + stamp.tv_nsec;
	}
	return wall_ns();
}

static void take_in(struct direction *direction, int64_t delay_ns)
{
	while (direction->count < QUEUE_SLOTS) {
		struct frame *frame = &direction->queue[(direction->head + direction->count) % QUEUE_SLOTS];
		char control[256];
		struct iovec bytes = {frame->bytes, FRAME_SIZE};
		struct msghdr message = {.msg_iov = &bytes,
			.msg_iovlen = 1,
			.msg_control = control,
			.msg_controllen = sizeof(control)};
		ssize_t length = recvmsg(direction->in, &message, 0);

		if (length <= 0)
			return;
		frame->length = (size_t)length;
		frame->due_ns = arrival_ns(&message) + delay_ns;
		direction->count++;
	}
}

/* Sends what is due; returns the time of the next one. */
static int64_t let_out(struct direction *direction)
{
	while (direction->count > 0) {
		struct frame *frame = &direction->queue[direction->head];

		if (frame->due_ns > wall_ns())
			return frame->due_ns;
		/* A cable does not report what it lost. */
		if (send(direction->out, frame->bytes, frame->length, 0) < 0 && errno == EAGAIN)
			return frame->due_ns;
		direction->head = (direction->head + 1) % QUEUE_SLOTS;
		direction->count--;
	}
	return INT64_MAX;
}

int main(int argc, char **argv)
{
	if (argc != 4) {
		fputs("usage: delay_link INTERFACE INTERFACE DELAY_US\n", stderr);
		return 2;
	}
	int64_t delay_ns = strtoll(argv[3], NULL, 10) * 1000;
	int left = open_interface(argv[1]), right = open_interface(argv[2]);
	struct direction ways[2] = {{.in = left, .out = right}, {.in = right, .out = left}};
	struct pollfd fds[2] = {{.fd = left, .events = POLLIN}, {.fd = right, .events = POLLIN}};

	prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
	for (int i = 0; i < 2; i++) {
		ways[i].queue = malloc(QUEUE_SLOTS * sizeof(struct frame));
		if (ways[i].queue == NULL)
			return 1;
	}
	puts("ready");
	fflush(stdout);
	for (;;) {
		int64_t next = INT64_MAX;

		for (int i = 0; i < 2; i++) {
			take_in(&ways[i], delay_ns);
			int64_t due = let_out(&ways[i]);
			next = due < next ? due : next;
		}
		int64_t wait_ns = next == INT64_MAX ? 1000000000 : next - wall_ns();
		struct timespec timeout = {
			wait_ns > 0 ? wait_ns / 1000000000 : 0, wait_ns > 0 ? wait_ns % 1000000000 : 0};

		ppoll(fds, 2, &timeout, NULL);
	}
}
