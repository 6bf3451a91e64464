"""Simulations as courses on modelling write them: trajectories in lists, states in objects, time that runs in loops."""

from collections import deque
from dataclasses import dataclass, replace
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from tests.programs import f32, program, scalar


@program(
    rows=(1, 3, 4, 6, 9),
    inputs=lambda: [
        (f32(1.0, 0.5), {"birth": 1.0, "hunt": 0.8, "death": 0.6, "feed": 0.7}, 0.25, 12),
        (f32(2.0, 4.0), {"birth": 0.2, "hunt": 1.5, "death": 0.6, "feed": 0.1}, 0.25, 12),
        (f32(0.5, 0.5), {"birth": 1.0, "hunt": 0.8, "death": 0.6, "feed": 0.7}, 0.5, 6),
    ],
    expect="imperative",
    reason="loop-types-differ",
)
def predators_and_prey(start, rates, step, steps):
    """Lotka-Volterra by the classical Runge-Kutta method, with a trajectory and its turning points."""

    def slope(t, population):
        prey, predators = population
        season = 1.0 + 0.1 * jnp.cos(t)
        return jnp.stack(
            [
                season * rates["birth"] * prey - rates["hunt"] * prey * predators,
                rates["feed"] * prey * predators - rates["death"] * predators,
            ]
        )

    def runge_kutta(t, y, h):
        k1 = slope(t, y)
        k2 = slope(t + h / 2, y + h / 2 * k1)
        k3 = slope(t + h / 2, y + h / 2 * k2)
        k4 = slope(t + h, y + h * k3)
        return y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)

    if step <= 0:
        raise ValueError(f"a step of {step} leads nowhere")

    population = start
    trajectory = [population]
    times = [0.0]
    turning_points = []
    events = []
    t = 0.0

    for number in range(steps):
        new = runge_kutta(t, population, step)
        t += step

        # nobody comes back from extinction
        if new[0] < 0.2:
            events.append(("prey died out", t))
            new = new.at[0].set(0.0)
            trajectory.append(new)
            times.append(t)
            break
        if new[1] < 0.05:
            events.append(("predators died out", t))
            new = new.at[1].set(0.0)

        # the prey turns where two differences have different signs
        if len(trajectory) >= 2:
            before = trajectory[-1][0] - trajectory[-2][0]
            after = new[0] - trajectory[-1][0]
            if before * after < 0:
                turning_points.append(t - step)

        trajectory.append(new)
        times.append(t)
        population = new
    else:
        events.append(("end", t))

    trajectory = jnp.stack(trajectory)
    most = {name: trajectory[:, i].max() for i, name in enumerate(("prey", "predators"))}
    if turning_points:
        period = 2 * (turning_points[-1] - turning_points[0]) / max(len(turning_points) - 1, 1)
    else:
        period = None
    return {"trajectory": trajectory, "times": times, "most": most, "events": events, "period": period}


@dataclass
class Ball:
    height: jax.Array
    speed: jax.Array
    bounces: int = 0

    @property
    def energy(self):
        return 9.81 * self.height + 0.5 * self.speed**2

    def fly(self, duration):
        new_height = self.height + self.speed * duration - 0.5 * 9.81 * duration**2
        return replace(self, height=new_height, speed=self.speed - 9.81 * duration)


@program(
    rows=(1, 2, 4, 6, 12),
    inputs=lambda: [
        (scalar(2.0), scalar(0.0), 0.8),
        (scalar(1.0), scalar(3.0), 0.5),
        (scalar(0.5), scalar(-1.0), 0.0),
    ],
    expect="imperative",
    reason="number-math",
)
def bouncing_ball(height, speed, bounce):
    """A ball falls and bounces; each contact is found by bisection inside of its step."""

    assert 0 <= bounce <= 1, "a ball does not gain energy"
    ball = Ball(height, speed)
    first_energy = ball.energy
    clock = 0.0
    contacts = []
    samples = [ball.height]
    at_rest = False

    while clock < 2.0:
        after = ball.fly(0.125)
        if after.height >= 0:
            ball = after
            clock += 0.125
            samples.append(ball.height)
            continue

        # when did it touch the floor?
        early, late = 0.0, 0.125
        for _ in range(10):
            middle = (early + late) / 2
            if ball.fly(middle).height > 0:
                early = middle
            else:
                late = middle
        ball = ball.fly(early)
        clock += late
        contacts.append(clock)
        samples.append(ball.height)

        ball.speed = -bounce * ball.speed
        ball.bounces += 1
        if jnp.abs(ball.speed) < 0.75:
            at_rest = True
            break
        if ball.bounces == 6:
            break

    # how high does it rise after each contact?
    heights = []
    for before, after in zip(contacts, contacts[1:]):
        flight = after - before
        heights.append(9.81 * (flight / 2) ** 2 / 2)
    falling = 0
    for first, second in zip(samples, samples[1:]):
        if second < first:
            falling += 1

    def describe(number, noun):
        """The number with its noun, in the plural where that is right."""
        if number == 1:
            return f"one {noun}"
        return f"{number or 'no'} {noun}s"

    lost = 1.0 - ball.energy / first_energy
    gaps = [b - a for a, b in zip(contacts, contacts[1:])]
    shrinking = all(later <= earlier for earlier, later in zip(gaps, gaps[1:]))
    summary = describe(ball.bounces, "bounce") + (", at rest" if at_rest else "")
    highest = max(samples)
    return {
        "ball": (ball.height, ball.speed),
        "lost": lost,
        "contacts": contacts,
        "heights": heights,
        "shrinking": shrinking,
        "samples": (len(samples), falling, highest),
        "summary": summary,
    }


class Customer(NamedTuple):
    """Who waits, since when, and for how long the counter will be busy."""

    number: int
    arrival: jax.Array
    work: jax.Array


class Counter:
    def __init__(self, name):
        self.name = name
        self.free_at = jnp.zeros(())
        self.busy = jnp.zeros(())
        self.served = 0

    def serve(self, customer, now):
        begin = jnp.maximum(now, self.free_at)
        self.free_at = begin + customer.work
        self.busy = self.busy + customer.work
        self.served += 1
        return begin - customer.arrival


@program(
    rows=(1, 2, 3, 6, 12, 16),
    inputs=lambda: [
        (jax.random.key(0), 8, 2, 1.0),
        (jax.random.key(7), 8, 1, 3.0),
        (jax.random.key(3), 5, 3, 0.25),
    ],
    expect="imperative",
    reason="branch-types-differ",
)
def queue_at_the_bank(key, customers, counters, load):
    """Customers arrive at random, wait in line for the counter that is free first, or give up."""

    arrival_key, work_key = jax.random.split(key)
    arrivals = jnp.cumsum(jax.random.exponential(arrival_key, (customers,)))
    works = load * jax.random.uniform(work_key, (customers,), minval=0.5, maxval=1.5)
    desks = [Counter(f"counter {chr(ord('A') + i)}") for i in range(counters)]
    line = deque()
    for number, (arrival, work) in enumerate(zip(arrivals, works)):
        line.append(Customer(number, arrival, work))

    waits = []
    gave_up = []
    longest = (None, 0.0)

    while line:
        customer = line.popleft()
        # the counter that is free first
        desk = desks[0]
        for other in desks[1:]:
            if other.free_at < desk.free_at:
                desk = other

        wait = desk.free_at - customer.arrival
        if wait > 3.0:
            gave_up.append(customer.number)
            continue

        waited = desk.serve(customer, customer.arrival)
        waits.append(waited)
        if waited > longest[1]:
            longest = (customer.number, waited)

    closing = desks[0].free_at
    for desk in desks:
        closing = jnp.maximum(closing, desk.free_at)
    use = {desk.name: desk.busy / closing for desk in desks}
    served = sum(desk.served for desk in desks)
    assert served + len(gave_up) == customers

    # how long was the line when each customer came?
    lengths = []
    for number, arrival in enumerate(arrivals):
        present = 0
        for earlier in range(number):
            if arrivals[earlier] + 1.0 > arrival:
                present += 1
        lengths.append(present)
    crowded = [number for number, length in enumerate(lengths) if length > 2]

    busiest = max(desks, key=lambda desk: desk.served).name
    mean_wait = sum(waits) / len(waits)
    if len(gave_up) > customers // 3:
        advice = "open another counter"
    elif mean_wait < 0.1 and counters > 1:
        advice = "close a counter"
    else:
        advice = "carry on"
    return {
        "wait": mean_wait,
        "longest": longest,
        "gave up": gave_up,
        "use": use,
        "busiest": busiest,
        "crowded": crowded,
        "advice": advice,
    }


@program(
    rows=(1, 3, 4, 12, 10),
    inputs=lambda: [
        ("burgers", jnp.sin(jnp.arange(16) * 0.4), 0.05, 10),
        ("advection", jnp.sin(jnp.arange(16) * 0.4), 0.05, 10),
        ("burgers", 30 * jnp.sin(jnp.arange(16) * 0.4), 0.05, 6),
    ],
    expect="imperative",
    reason="unsupported-statement",
)
def conservation_laws(law, start, viscosity, steps):
    """Finite volumes for a conservation law; the laws are classes that share the scheme."""

    class Law:
        """The linear law: everything moves at speed one."""

        name = "linear"

        def __init__(self, width, viscosity):
            self.width = width
            self.viscosity = viscosity
            self.evaluations = 0

        def flux(self, u):
            self.evaluations += 1
            return u

        def speed(self, u):
            return jnp.ones(())

        def time_step(self, u):
            limit = 0.5 * self.width / jnp.maximum(self.speed(u), 1e-3)
            return jnp.minimum(limit, 0.25 * self.width**2 / self.viscosity)

        def advance(self, u, h):
            right = jnp.roll(u, -1)
            a = self.speed(u)
            face = 0.5 * (self.flux(u) + self.flux(right)) - 0.5 * a * (right - u)
            spread = (right - 2 * u + jnp.roll(u, 1)) * self.viscosity / self.width**2
            return u - h / self.width * (face - jnp.roll(face, 1)) + h * spread

    class Burgers(Law):
        name = "burgers"

        def flux(self, u):
            return 0.5 * super().flux(u) ** 2

        def speed(self, u):
            return jnp.abs(u).max()

    laws = {"advection": Law, "burgers": Burgers}
    equation = laws[law](1.0 / len(start), viscosity)

    u = start
    mass = u.sum()
    clock = jnp.zeros(())
    steepest = 0.0
    shock = None
    for step in range(steps):
        h = equation.time_step(u)
        if h < 1e-3:
            raise ArithmeticError("the step became too small", step, equation.name)
        u = equation.advance(u, h)
        clock = clock + h

        # a slope that has doubled is a shock
        slope = jnp.abs(u - jnp.roll(u, 1)).max()
        if step == 0:
            steepest = slope
        elif slope > 1.05 * steepest and shock is None:
            shock = step
        if clock > 0.5:
            break

    drift = jnp.abs(u.sum() - mass)
    if drift > 1e-2:
        raise ArithmeticError("mass was lost")
    return u, clock, step, shock, equation.evaluations, type(equation).__name__


@program(
    rows=(1, 3, 6, 9, 10),
    inputs=lambda: [
        ("fixed", 1.0, 20),
        ("free", 0.5, 20),
        ("periodic", 1.0, 12),
        ("moebius", 1.0, 12),
    ],
    expect="compiled",
)
def waves_on_a_string(ends, speed, steps):
    """The wave equation by leapfrog; how the string ends is a matter of words."""
    points = 24
    position = jnp.arange(points) / points

    def laplacian(u):
        match ends:
            case "fixed":
                inner = u[2:] - 2 * u[1:-1] + u[:-2]
                return jnp.concatenate([jnp.zeros(1), inner, jnp.zeros(1)])
            case "free":
                wide = jnp.concatenate([u[:1], u, u[-1:]])
                return wide[2:] - 2 * u + wide[:-2]
            case "periodic" | "ring":
                return jnp.roll(u, 1) - 2 * u + jnp.roll(u, -1)
            case other:
                raise NotImplementedError(f"ends that are {other!r}")

    def energy_of(u, previous):
        kinetic = 0.5 * ((u - previous) ** 2).sum()
        stretch = 0.5 * factor * ((u[1:] - u[:-1]) ** 2).sum()
        return kinetic + stretch

    factor = (speed * 0.5) ** 2
    pluck = jnp.exp(-100.0 * (position - 0.3) ** 2)
    if ends == "fixed":
        pluck = pluck.at[0].set(0.0).at[-1].set(0.0)

    previous = pluck
    u = pluck + 0.5 * factor * laplacian(pluck)
    energies = [energy_of(u, previous)]
    crossings = 0
    listener = []
    snapshots = {}

    for step in range(1, steps + 1):
        u, previous = 2 * u - previous + factor * laplacian(u), u
        energies.append(energy_of(u, previous))

        # what a microphone at three quarters would hear
        heard = u[points * 3 // 4]
        if listener and heard * listener[-1] < 0:
            crossings += 1
        listener.append(heard)

        if step % 6 == 0:
            snapshots[f"after {step} steps"] = u

    mean = sum(energies) / len(energies)
    wobble = max(abs(energy - mean) for energy in energies)
    loudest = max(range(len(listener)), key=lambda i: listener[i])
    quiet = [name for name, shape in snapshots.items() if shape.max() < 0.45]
    if wobble > 0.5 * mean:
        verdict = "unstable"
    elif crossings == 0:
        verdict = "silence at the microphone"
    else:
        verdict = "sound"
    return jnp.stack(listener), mean, wobble, loudest, snapshots, quiet, verdict


@program(
    rows=(1, 3, 4, 6, 9),
    inputs=lambda: [
        (90, 17, 8),
        (30, 13, 6),
        (0, 9, 6),
    ],
    expect="imperative",
    reason="branch-types-differ",
)
def elementary_automaton(rule, width, generations):
    """Wolfram's automata: the rule is a number, the generations are drawn as text, cycles are found in a dict."""
    if not 0 <= rule < 256:
        raise ValueError(f"{rule} is not the number of a rule")

    # the rule's bits, lowest first, and as a sentence
    bits = [int(digit) for digit in reversed(f"{rule:08b}")]
    table = jnp.array(bits, dtype=jnp.int32)
    words = ", ".join(f"{pattern:03b}->{bit}" for pattern, bit in enumerate(bits) if bit)

    def advance(cells):
        left = jnp.roll(cells, 1)
        right = jnp.roll(cells, -1)
        return table[4 * left + 2 * cells + right]

    def draw(cells):
        text = ""
        for cell in cells:
            text += "#" if cell else "."
        return text

    def longest_run(text, letter):
        best = run = 0
        for character in text:
            if character == letter:
                run += 1
                best = max(best, run)
            else:
                run = 0
        return best

    cells = jnp.zeros(width, jnp.int32).at[width // 2].set(1)
    picture = [draw(cells)]
    seen = {picture[0]: 0}
    population = [int(cells.sum())]
    cycle = None

    for generation in range(1, generations + 1):
        cells = advance(cells)
        row = draw(cells)
        picture.append(row)
        population.append(int(cells.sum()))
        if row in seen:
            cycle = (seen[row], generation)
            break
        seen[row] = generation

    # is each row its own mirror image?
    symmetric = all(row == row[::-1] for row in picture)
    triangles = [longest_run(row, ".") for row in picture]
    density = sum(population) / (width * len(picture))
    if cycle is not None:
        start, end = cycle
        kind = "fixed" if end - start == 1 else "periodic"
    elif symmetric and density < 0.5:
        kind = "fractal?"
    else:
        kind = "complex?"

    return {
        "picture": "\n".join(picture),
        "cells": cells,
        "rule": words,
        "population": jnp.array(population),
        "triangles": triangles,
        "kind": kind,
    }


class Particle(NamedTuple):
    """A guess of where the robot is, and how much it is worth."""

    place: jax.Array
    weight: jax.Array


@program(
    rows=(1, 3, 6, 12, 16),
    inputs=lambda: [
        (jax.random.key(0), f32(1.0, 2.1, 2.9, 4.2), 8),
        (jax.random.key(1), f32(1.0, 2.1, 9.0, 4.2, 5.0), 8),
        (jax.random.key(2), f32(-1.0, 1.0), 6),
    ],
    expect="imperative",
    reason="unsupported-expression",
)
def particle_filter(key, measurements, count):
    """A robot in a corridor moves one metre each second; particles follow, and are drawn anew where they are few."""

    def move(key, particles):
        noise = 0.2 * jax.random.normal(key, (len(particles),))
        return [particle._replace(place=particle.place + 1.0 + n) for particle, n in zip(particles, noise)]

    def weigh(particles, measurement):
        likelihoods = [jnp.exp(-2.0 * (measurement - p.place) ** 2) for p in particles]
        total = sum(p.weight * likelihood for p, likelihood in zip(particles, likelihoods))
        if total < 1e-6:
            return None
        return [Particle(p.place, p.weight * likelihood / total) for p, likelihood in zip(particles, likelihoods)]

    def draw_anew(key, particles):
        """Systematic resampling: one random number, equal steps."""
        position = jax.random.uniform(key) / len(particles)
        cumulative = particles[0].weight
        index = 0
        drawn = []
        for _ in particles:
            while position > cumulative and index < len(particles) - 1:
                index += 1
                cumulative = cumulative + jnp.stack([p.weight for p in particles])[index]
            drawn.append(Particle(jnp.stack([p.place for p in particles])[index], jnp.full((), 1 / len(particles))))
            position = position + 1 / len(particles)
        return drawn

    key, start_key = jax.random.split(key)
    places = jax.random.uniform(start_key, (count,), minval=-1.0, maxval=1.0)
    particles = [Particle(place, jnp.full((), 1 / count)) for place in places]
    estimates = []
    lost = []
    renewed = 0

    for second, measurement in enumerate(measurements):
        key, move_key, draw_key = jax.random.split(key, 3)
        particles = move(move_key, particles)
        weighed = weigh(particles, measurement)
        if weighed is None:
            lost.append(second)
            continue
        particles = weighed

        effective = 1.0 / sum(p.weight**2 for p in particles)
        if effective < count / 2:
            particles = draw_anew(draw_key, particles)
            renewed += 1
        estimates.append(sum(p.place * p.weight for p in particles))

    best = particles[0]
    for particle in particles:
        if particle.weight > best.weight:
            best = particle
    return estimates, best, lost, renewed, jnp.stack([p.place for p in particles])


@program(
    rows=(1, 2, 6, 10, 12, 15),
    inputs=lambda: [
        (np.array([[1.0, 0.0], [0.0, 0.0]], np.float32), np.array([1.0, 3.0], np.float32), 0.05, 12),
        (np.array([[1.0, 0.0], [0.0, 0.0]], np.float32), np.array([0.2, 0.5], np.float32), 0.05, 30),
        (np.array([[1.0, 0.0], [0.0, 0.0]], np.float32), np.array([0.9, 3.0], np.float32), 0.25, 12),
    ],
    expect="imperative",
    reason="unsupported-statement",
)
def planet_in_orbit(places, momentum, step, steps):
    """A planet around a sun by a symplectic method, with a watch over what must be conserved."""

    class Collision(Exception):
        def __init__(self, when, distance):
            super().__init__(f"collision after {when} steps")
            self.when = when
            self.distance = distance

    class Conserved:
        """Check at the end of the block that a quantity has not drifted."""

        def __init__(self, quantity, tolerance):
            self.quantity = quantity
            self.tolerance = tolerance
            self.drift = None

        def __enter__(self):
            self.before = self.quantity()
            return self

        def __exit__(self, kind, error, trace):
            self.drift = abs(self.quantity() - self.before)
            self.kept = kind is None and bool(self.drift < self.tolerance)
            return False

    planet, sun = (jnp.asarray(place) for place in places)
    velocity = jnp.asarray(momentum) * 0.35
    path = []
    left_at = None

    def angular_momentum():
        return planet[0] * velocity[1] - planet[1] * velocity[0]

    def energy():
        return 0.5 * velocity @ velocity - 1.0 / jnp.sqrt((planet - sun) @ (planet - sun))

    spin = Conserved(angular_momentum, 1e-3)
    heat = Conserved(energy, 0.05)
    try:
        with spin, heat:
            for count in range(steps):
                offset = sun - planet
                distance = jnp.sqrt(offset @ offset)
                if distance < 0.2:
                    raise Collision(count, distance)
                if distance > 1.5 and left_at is None:
                    left_at = count
                velocity = velocity + step * offset / distance**3
                planet = planet + step * velocity
                path.append(planet)
    except Collision as collision:
        outcome = str(collision)
        closest = collision.distance
    else:
        outcome = "alive"
        closest = min(jnp.sqrt((place - sun) @ (place - sun)) for place in path)
    finally:
        turns = sum(1 for a, b in zip(path, path[1:]) if a[1] < 0 <= b[1])

    return jnp.stack(path), outcome, closest, turns, left_at, (spin.drift, spin.kept), (heat.drift, heat.kept)


class Mass:
    """A point that springs pull at."""

    def __init__(self, place, weight=1.0, *, fixed=False):
        self.place = place
        self.speed = jnp.zeros_like(place)
        self.force = jnp.zeros_like(place)
        self.weight = weight
        self.fixed = fixed

    @property
    def energy(self):
        return 0.5 * self.weight * (self.speed**2).sum()

    def move(self, step):
        if self.fixed:
            return
        self.speed = self.speed + step * self.force / self.weight
        self.place = self.place + step * self.speed


class Spring:
    def __init__(self, first, second, stiffness, length=1.0):
        self.ends = first, second
        self.stiffness = stiffness
        self.length = length

    def stretch(self):
        first, second = self.ends
        offset = second.place - first.place
        distance = jnp.sqrt((offset**2).sum())
        return distance - self.length, offset / distance

    def pull(self):
        extra, direction = self.stretch()
        first, second = self.ends
        first.force = first.force + self.stiffness * extra * direction
        second.force = second.force - self.stiffness * extra * direction

    def energy(self):
        extra, _ = self.stretch()
        return 0.5 * self.stiffness * extra**2


class Rope(Spring):
    """A spring that pulls, but does not push, and breaks when it is too long."""

    broken = False

    def pull(self):
        extra, _ = self.stretch()
        if extra > 1.0:
            self.broken = True
        if extra > 0 and not self.broken:
            super().pull()

    def energy(self):
        if self.broken or self.stretch()[0] < 0:
            return jnp.zeros(())
        return super().energy()


@program(
    rows=(1, 2, 3, 4, 12),
    inputs=lambda: [
        (f32(0.0, 1.0), f32(1.5, 1.0), 4.0, 0.125),
        (f32(0.0, 1.0), f32(2.5, 1.0), 4.0, 0.125),
        (f32(0.0, 1.0), f32(0.5, 1.25), 40.0, 0.25),
    ],
    expect="compiled",
)
def masses_on_springs(left, right, stiffness, step):
    """A mobile of three masses, two springs and a rope swings until it is quiet, or has gone to pieces."""
    nail = Mass(left, fixed=True)
    middle = Mass((left + right) / 2, weight=2.0)
    end = Mass(right)
    rope = Rope(middle, end, stiffness, length=0.8)
    springs = [Spring(nail, middle, stiffness), rope, Spring(nail, end, 0.5 * stiffness, length=1.5)]
    masses = [nail, middle, end]
    gravity = jnp.array([0.0, -1.0])
    friction = 0.3

    def total_energy():
        kinetic = sum(mass.energy for mass in masses)
        elastic = sum(spring.energy() for spring in springs)
        height = sum(mass.weight * mass.place[1] for mass in masses if not mass.fixed)
        return kinetic + elastic + height

    def advance():
        for mass in masses:
            mass.force = mass.weight * gravity - friction * mass.speed
        for spring in springs:
            spring.pull()
        for mass in masses:
            mass.move(step)

    start = total_energy()
    lowest = start
    highest = start
    steps = 0
    quiet = 0
    broken_at = None
    verdict = "still swinging"

    while steps < 16:
        advance()
        steps += 1
        energy = total_energy()
        if energy < lowest:
            lowest = energy
        elif energy > highest:
            highest = energy

        # the rope breaks once
        if rope.broken and broken_at is None:
            broken_at = steps
            friction = 0.1

        # numbers that explode say that the step is too long
        if energy > 100.0 or jnp.isnan(energy):
            verdict = "the step is too long"
            break

        if jnp.abs(end.speed).max() < 0.2:
            quiet += 1
            if quiet == 3:
                verdict = "quiet"
                break
        else:
            quiet = 0

    span = end.place - nail.place
    hanging = bool(end.place[1] < nail.place[1])
    angles = []
    for mass in masses:
        if mass is nail:
            continue
        offset = mass.place - nail.place
        angles.append(jnp.arctan2(offset[1], offset[0]))

    lost = start - total_energy()
    if broken_at is not None:
        verdict = f"the rope broke, {verdict}"
    return {
        "span": span,
        "angles": angles,
        "energies": (start, lowest - start, highest - start),
        "lost": lost,
        "steps": steps,
        "broken": broken_at,
        "hanging": hanging,
        "verdict": verdict,
        "end": end,
    }
