#include "net/filter.h"

#include <errno.h>
#include <linux/filter.h>
#include <sys/socket.h>

#include "base/compiler.h"

#define DESTINATION_PORT 2 /* offset in the headers of TCP, UDP and UDP-Lite */
#define ACCEPT		 UINT32_MAX

int filter_ports(int fd, uint8_t family, uint16_t port, uint16_t count)
{
	uint32_t last = (uint32_t)port + (count ? count : 1u) - 1;
	/* IPv4 raw sockets see the IP header, IPv6 raw sockets do not. */
	struct sock_filter v4[] = {
		BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
		BPF_STMT(BPF_LD | BPF_H | BPF_IND, DESTINATION_PORT),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, port, 0, 2),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, last, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, ACCEPT),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_filter v6[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, DESTINATION_PORT),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, port, 0, 2),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, last, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, ACCEPT),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog program = {
		.len = family == 4 ? ARRAY_LEN(v4) : ARRAY_LEN(v6),
		.filter = family == 4 ? v4 : v6,
	};
	uint8_t ignored;
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0)
		return -errno;
	/* What came in between socket() and here. */
	while (recv(fd, &ignored, sizeof(ignored), MSG_DONTWAIT) >= 0)
		;
	return 0;
}
