import numpy as np
from collections import deque
import random
from keras.models import Sequential
from keras.layers.core import Dense
from keras.optimizers import sgd, Adam


class Walk(object):
    """Five places in a row; the right end pays 1."""

    def reset(self):
        self.place, self.steps = 2, 0
        return self.observe()

    def observe(self):
        return np.eye(5)[[self.place]]

    def act(self, action):
        self.place += 1 if action else -1
        self.steps += 1
        over = self.place in (0, 4) or self.steps > 12
        return self.observe(), float(self.place == 4) - float(self.place == 0), over


class DQNAgent:
    def __init__(self):
        self.memory = deque(maxlen=500)
        self.gamma, self.epsilon = 0.9, 1.0
        self.model = self._build_model()
        self.target_model = self._build_model()

    def _build_model(self):
        model = Sequential()
        model.add(Dense(16, input_dim=5, activation='relu'))
        model.add(Dense(2, activation='linear'))
        model.compile(loss='mse', optimizer=Adam(lr=0.02))
        return model

    def act(self, state):
        if np.random.rand() <= self.epsilon:
            return random.randrange(2)
        return np.argmax(self.model.predict(state)[0])

    def replay(self, batch_size):
        batch = random.sample(self.memory, batch_size)
        states = np.concatenate([b[0] for b in batch])
        targets = self.model.predict(states)
        later = self.target_model.predict(np.concatenate([b[3] for b in batch]))
        for i, (s, a, r, s2, over) in enumerate(batch):
            targets[i, a] = r if over else r + self.gamma * np.max(later[i])
        return self.model.train_on_batch(states, targets)


random.seed(25)
np.random.seed(25)
env, agent = Walk(), DQNAgent()
for episode in range(50):
    state, over = env.reset(), False
    while not over:
        action = agent.act(state)
        next_state, reward, over = env.act(action)
        agent.memory.append((state, action, reward, next_state, over))
        state = next_state
        if len(agent.memory) >= 32:
            agent.replay(32)
    agent.epsilon *= 0.95
    agent.target_model.set_weights(agent.model.get_weights())
best = agent.model.predict(np.eye(5)[1:4]).argmax(axis=1)
print(best)
assert list(best) == [1, 1, 1]
