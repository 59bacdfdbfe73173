#include "serve/filter.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <stddef.h>
#include <sys/socket.h>

#include "packet/packet.h"

#define PROGRAM_SIZE 64
#define ACCEPT	     0x40000
#define REJECT	     0

/* Jumps are written to one of two labels and resolved at the end. */
enum label { NEXT = 0, TO_ACCEPT = 0xfe, TO_REJECT = 0xff };

struct program {
	struct sock_filter code[PROGRAM_SIZE];
	unsigned length;
};

static void emit(struct program *program, uint16_t code, uint32_t k)
{
	if (program->length < PROGRAM_SIZE)
		program->code[program->length++] = (struct sock_filter){.code = code, .k = k};
}

static void emit_jump(struct program *program, uint16_t test, uint32_t k, uint8_t yes, uint8_t no)
{
	if (program->length < PROGRAM_SIZE)
		program->code[program->length++] = (struct sock_filter){
			.code = (uint16_t)(BPF_JMP | test | BPF_K), .jt = yes, .jf = no, .k = k};
}

static uint8_t resolve(uint8_t label, unsigned from, unsigned accept)
{
	if (label == TO_ACCEPT)
		return (uint8_t)(accept - from - 1);
	return label == TO_REJECT ? (uint8_t)(accept - from) : label;
}

static int attach(int fd, struct program *program)
{
	unsigned accept = program->length;
	emit(program, BPF_RET | BPF_K, ACCEPT);
	emit(program, BPF_RET | BPF_K, REJECT);
	for (unsigned i = 0; i < accept; i++) {
		struct sock_filter *op = &program->code[i];
		if (BPF_CLASS(op->code) == BPF_JMP && BPF_OP(op->code) != BPF_JA) {
			op->jt = resolve(op->jt, i, accept);
			op->jf = resolve(op->jf, i, accept);
		}
	}
	struct sock_fprog filter = {.len = (unsigned short)program->length, .filter = program->code};
	int on = 1;
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) < 0 ||
		setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &on, sizeof(on)) < 0)
		return -errno;
	return 0;
}

/* Layer 4 starts at X plus `base`: X is the IPv4 header's length, or 0 with the fixed IPv6 header as base. */
static void match_request(struct program *program, uint32_t base, uint8_t icmp, uint8_t echo_request)
{
	emit_jump(program, BPF_JEQ, icmp, NEXT, TO_REJECT);
	emit(program, BPF_LD | BPF_H | BPF_IND, base);
	emit_jump(program, BPF_JEQ, (uint32_t)echo_request << 8 | 1, TO_ACCEPT, TO_REJECT);
}

/* RST or SYN together with ACK, to our port. */
static void match_tcp(struct program *program, uint32_t base, uint16_t port)
{
	emit(program, BPF_LD | BPF_H | BPF_IND, base + 2);
	emit_jump(program, BPF_JEQ, port, NEXT, TO_REJECT);
	emit(program, BPF_LD | BPF_B | BPF_IND, base + 13);
	emit_jump(program, BPF_JSET, TCP_ACK, NEXT, TO_REJECT);
	emit_jump(program, BPF_JSET, TCP_RST | TCP_SYN, TO_ACCEPT, TO_REJECT);
}

/* Errors, and echo replies whose id is ours. */
static void match_icmp(struct program *program, uint32_t base, const uint8_t errors[2], uint8_t echo_reply,
	uint8_t icmp_prefix)
{
	emit(program, BPF_LD | BPF_B | BPF_IND, base);
	emit_jump(program, BPF_JEQ, errors[0], TO_ACCEPT, NEXT);
	emit_jump(program, BPF_JEQ, errors[1], TO_ACCEPT, NEXT);
	emit_jump(program, BPF_JEQ, echo_reply, NEXT, TO_REJECT);
	emit(program, BPF_LD | BPF_B | BPF_IND, base + 4);
	emit_jump(program, BPF_JEQ, icmp_prefix, TO_ACCEPT, TO_REJECT);
}

int filter_attach(int fd, uint8_t family, enum filter_kind kind, uint16_t port, uint8_t icmp_prefix)
{
	static const uint8_t errors4[2] = {ICMP4_UNREACHABLE, ICMP4_TIME_EXCEEDED};
	static const uint8_t errors6[2] = {ICMP6_UNREACHABLE, ICMP6_TIME_EXCEEDED};
	bool v4 = family == 4;
	uint32_t base = v4 ? 0 : 40;
	uint8_t icmp = v4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6;
	struct program program = {0};
	emit(&program, BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE));
	emit_jump(&program, BPF_JEQ, PACKET_HOST, NEXT, TO_REJECT);
	if (v4) { /* no fragments: "more" or an offset */
		emit(&program, BPF_LD | BPF_H | BPF_ABS, 6);
		emit_jump(&program, BPF_JSET, 0x3fff, TO_REJECT, NEXT);
		emit(&program, BPF_LDX | BPF_B | BPF_MSH, 0);
	} else {
		emit(&program, BPF_LDX | BPF_W | BPF_IMM, 0);
	}
	emit(&program, BPF_LD | BPF_B | BPF_ABS, v4 ? 9 : 6);
	if (kind == FILTER_REQUESTS) {
		match_request(
			&program, base, icmp, v4 ? (uint8_t)ICMP4_ECHO_REQUEST : (uint8_t)ICMP6_ECHO_REQUEST);
	} else {
		unsigned branch = program.length;
		emit_jump(&program, BPF_JEQ, PROTOCOL_TCP, NEXT, NEXT);
		match_tcp(&program, base, port);
		program.code[branch].jf = (uint8_t)(program.length - branch - 1);
		emit_jump(&program, BPF_JEQ, icmp, NEXT, TO_REJECT);
		match_icmp(&program, base, v4 ? errors4 : errors6,
			v4 ? (uint8_t)ICMP4_ECHO_REPLY : (uint8_t)ICMP6_ECHO_REPLY, icmp_prefix);
	}
	return attach(fd, &program);
}

int filter_attach_none(int fd)
{
	struct sock_filter reject = {.code = BPF_RET | BPF_K, .k = REJECT};
	struct sock_fprog filter = {.len = 1, .filter = &reject};
	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) < 0 ? -errno : 0;
}
