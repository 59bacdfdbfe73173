#include "serve/inband_filter.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <sys/socket.h>

#include "packet/packet.h"

#define PROGRAM_SIZE  64
#define ACCEPT	      UINT32_MAX
#define FRAGMENT_BITS 0x1fff
#define IPV6_HEADER   40
#define END_OF_SIDE   0xff /* to be resolved */

struct program {
	struct sock_filter code[PROGRAM_SIZE];
	unsigned length;
};

static void emit(struct program *program, uint16_t code, uint32_t k)
{
	if (program->length < PROGRAM_SIZE)
		program->code[program->length++] = (struct sock_filter){.code = code, .k = k};
}

/* Go on if what was loaded is `value`, else to the end of this side. */
static void want(struct program *program, uint16_t load, uint32_t offset, uint32_t value)
{
	emit(program, load, offset);
	emit(program, BPF_JMP | BPF_JEQ | BPF_K, value);
	program->code[program->length - 1].jf = END_OF_SIDE;
}

static void want_address(struct program *program, struct addr addr, uint32_t offset)
{
	uint8_t bytes[16];
	addr_to_bytes(addr, bytes);
	struct cursor cursor = cursor_init(bytes, addr.family == 4 ? 4 : 16);
	for (uint32_t at = 0; cursor_left(&cursor) > 0; at += 4)
		want(program, BPF_LD | BPF_W | BPF_ABS, offset + at, cursor_u32(&cursor));
}

static void match_side(
	struct program *program, struct addr from, uint16_t from_port, struct addr to, uint16_t to_port)
{
	bool v4 = from.family == 4;
	uint32_t ports = v4 ? 0 : IPV6_HEADER;
	unsigned start = program->length;
	want_address(program, from, v4 ? 12 : 8);
	want_address(program, to, v4 ? 16 : 24);
	want(program, BPF_LD | BPF_H | BPF_IND, ports, from_port);
	want(program, BPF_LD | BPF_H | BPF_IND, ports + 2, to_port);
	emit(program, BPF_RET | BPF_K, ACCEPT);
	for (unsigned i = start; i < program->length; i++)
		if (program->code[i].jf == END_OF_SIDE)
			program->code[i].jf = (uint8_t)(program->length - i - 1);
}

static void match_pair(struct program *program, const struct inband_pair *pair)
{
	bool v4 = pair->local.family == 4;
	unsigned start = program->length;
	want(program, BPF_LD | BPF_H | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PROTOCOL),
		v4 ? ETH_P_IP : ETH_P_IPV6);
	want(program, BPF_LD | BPF_B | BPF_ABS, v4 ? 9 : 6, PROTOCOL_TCP);
	if (v4) { /* X is where the ports are */
		emit(program, BPF_LD | BPF_H | BPF_ABS, 6);
		emit(program, BPF_ALU | BPF_AND | BPF_K, FRAGMENT_BITS);
		emit(program, BPF_JMP | BPF_JEQ | BPF_K, 0);
		program->code[program->length - 1].jf = END_OF_SIDE;
		emit(program, BPF_LDX | BPF_B | BPF_MSH, 0);
	} else {
		emit(program, BPF_LDX | BPF_W | BPF_IMM, 0);
	}
	unsigned sides = program->length;
	match_side(program, pair->local, pair->local_port, pair->remote, pair->remote_port);
	match_side(program, pair->remote, pair->remote_port, pair->local, pair->local_port);
	for (unsigned i = start; i < sides; i++)
		if (program->code[i].jf == END_OF_SIDE)
			program->code[i].jf = (uint8_t)(program->length - i - 1);
}

int inband_filter_set(int fd, const struct inband_pair *pair)
{
	struct program program = {0};
	if (pair)
		match_pair(&program, pair);
	emit(&program, BPF_RET | BPF_K, 0);
	struct sock_fprog filter = {.len = (unsigned short)program.length, .filter = program.code};
	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) < 0 ? -errno : 0;
}
