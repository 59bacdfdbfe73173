/* Connections: how many, from where, for how long. Each client is one end of a socket pair; the other end
 * sees whether it was shut down. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "serve/clients.h"

#define START_NS (1000 * NS_PER_S)

struct seat {
	struct client *client;
	int near, far;
};

static struct addr from(unsigned network)
{
	return addr_v4(0x0a000001 + (network << 8));
}

static bool sit(struct clients *clients, struct seat *seat, struct addr address, int64_t now_ns)
{
	int pair[2];
	if (!clients_admit(clients, address, false, now_ns))
		return false;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	*seat = (struct seat){clients_add(clients, address, pair[0], now_ns), pair[0], pair[1]};
	assert_non_null(seat->client);
	return true;
}

static bool is_shut(const struct seat *seat)
{
	uint8_t byte;
	return recv(seat->far, &byte, 1, MSG_DONTWAIT) == 0;
}

static void leave(struct clients *clients, struct seat *seat)
{
	clients_remove(clients, seat->client);
	close(seat->near);
	close(seat->far);
}

static void start(struct clients *clients)
{
	assert_int_equal(clients_init(clients, (struct hash_key){1, 2}), 0);
}

static void places_of_a_network(void **state UNUSED)
{
	static struct seat seats[CLIENTS_OF_PREFIX];
	struct clients clients;
	struct seat other;
	start(&clients);
	for (unsigned i = 0; i < CLIENTS_OF_PREFIX; i++)
		assert_true(sit(&clients, &seats[i], from(1), START_NS + i * 30 * NS_PER_MS));
	assert_false(sit(&clients, &other, from(1), START_NS + 5 * NS_PER_S));
	assert_true(sit(&clients, &other, from(2), START_NS + 5 * NS_PER_S));
	leave(&clients, &seats[0]);
	assert_true(sit(&clients, &seats[0], from(1), START_NS + 5 * NS_PER_S));
	assert_int_equal(clients.refused, 1);
	for (unsigned i = 0; i < CLIENTS_OF_PREFIX; i++)
		leave(&clients, &seats[i]);
	leave(&clients, &other);
	assert_int_equal(clients.count, 0);
	clients_deinit(&clients);
}

static void rate_of_a_network(void **state UNUSED)
{
	struct clients clients;
	struct seat seat;
	unsigned admitted = 0;
	start(&clients);
	for (unsigned i = 0; i < 1000; i++)
		if (sit(&clients, &seat, from(1), START_NS)) {
			leave(&clients, &seat);
			admitted++;
		}
	assert_in_range(admitted, 50, 150);
	assert_true(sit(&clients, &seat, from(2), START_NS));
	leave(&clients, &seat);
	clients_deinit(&clients);
}

/* All places taken: who was silent for longest goes, who is being answered stays. */
static void longest_idle_goes(void **state UNUSED)
{
	static struct seat seats[CLIENTS_MAX];
	struct clients clients;
	struct seat late[2];
	int64_t now_ns = START_NS;
	start(&clients);
	for (unsigned i = 0; i < CLIENTS_MAX; i++, now_ns += 10 * NS_PER_MS)
		assert_true(sit(&clients, &seats[i], from(i), now_ns));
	clients_set_busy(&clients, seats[0].client, true, now_ns);
	clients_set_busy(&clients, seats[1].client, true, now_ns);
	clients_set_busy(&clients, seats[1].client, false, now_ns);
	assert_true(sit(&clients, &late[0], from(CLIENTS_MAX), now_ns));
	assert_false(is_shut(&seats[0]) || is_shut(&seats[1]));
	assert_true(is_shut(&seats[2]));
	assert_true(sit(&clients, &late[1], from(CLIENTS_MAX + 1), now_ns));
	assert_true(is_shut(&seats[3]));
	assert_false(is_shut(&seats[4]));
	assert_int_equal(clients.evicted, 2);
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		leave(&clients, &seats[i]);
	leave(&clients, &late[0]);
	leave(&clients, &late[1]);
	clients_deinit(&clients);
}

static void everybody_busy(void **state UNUSED)
{
	static struct seat seats[CLIENTS_MAX];
	struct clients clients;
	struct seat late;
	int64_t now_ns = START_NS;
	start(&clients);
	for (unsigned i = 0; i < CLIENTS_MAX; i++, now_ns += 10 * NS_PER_MS) {
		assert_true(sit(&clients, &seats[i], from(i), now_ns));
		clients_set_busy(&clients, seats[i].client, true, now_ns);
	}
	assert_false(sit(&clients, &late, from(CLIENTS_MAX), now_ns));
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		leave(&clients, &seats[i]);
	clients_deinit(&clients);
}

/* 100 a second of a network, twice that at once, 2,000 in all. */
static void requests(void **state UNUSED)
{
	struct clients clients;
	unsigned admitted = 0, second = 0, others = 0;
	start(&clients);
	for (unsigned i = 0; i < 1000; i++)
		admitted += clients_ask(&clients, addr_add(from(1), i % 200), START_NS);
	assert_int_equal(admitted, 200);
	for (unsigned i = 0; i < 1000; i++)
		second += clients_ask(&clients, from(1), START_NS + NS_PER_S);
	assert_int_equal(second, 100);
	for (unsigned i = 0; i < 5000; i++)
		others += clients_ask(&clients, from(2 + i), START_NS + NS_PER_S);
	assert_int_equal(others, 1900);
	assert_int_equal(clients.requests_refused, 800 + 900 + 3100);
	clients_deinit(&clients);
}

/* Many clients come by one proxy. */
static void proxies(void **state UNUSED)
{
	static struct seat seats[CLIENTS_OF_PREFIX + 10];
	struct clients clients;
	start(&clients);
	for (unsigned i = 0; i < ARRAY_LEN(seats); i++) {
		int pair[2];
		assert_true(clients_admit(&clients, from(1), true, START_NS));
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
		seats[i] = (struct seat){clients_add(&clients, from(1), pair[0], START_NS), pair[0], pair[1]};
	}
	assert_false(clients_admit(&clients, from(1), false, START_NS + NS_PER_S));
	for (unsigned i = 0; i < ARRAY_LEN(seats); i++)
		leave(&clients, &seats[i]);
	clients_deinit(&clients);
}

static void time_is_up(void **state UNUSED)
{
	struct clients clients;
	struct seat idle, busy, new;
	start(&clients);
	assert_true(sit(&clients, &idle, from(1), START_NS));
	assert_true(sit(&clients, &busy, from(2), START_NS));
	clients_set_busy(&clients, busy.client, true, START_NS);
	assert_true(sit(&clients, &new, from(3), START_NS + 10 * NS_PER_S));
	clients_sweep(&clients, START_NS + 14 * NS_PER_S);
	assert_false(is_shut(&idle) || is_shut(&busy) || is_shut(&new));
	clients_sweep(&clients, START_NS + 20 * NS_PER_S);
	assert_true(is_shut(&idle));
	assert_false(is_shut(&busy) || is_shut(&new));
	clients_sweep(&clients, START_NS + 26 * NS_PER_S);
	assert_true(is_shut(&new));
	assert_false(is_shut(&busy));
	clients_sweep(&clients, START_NS + 130 * NS_PER_S);
	assert_true(is_shut(&busy));
	leave(&clients, &idle);
	leave(&clients, &busy);
	leave(&clients, &new);
	clients_deinit(&clients);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(places_of_a_network),
		cmocka_unit_test(rate_of_a_network),
		cmocka_unit_test(longest_idle_goes),
		cmocka_unit_test(everybody_busy),
		cmocka_unit_test(requests),
		cmocka_unit_test(proxies),
		cmocka_unit_test(time_is_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
