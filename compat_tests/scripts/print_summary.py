from keras.models import Sequential
from keras.layers import Dense
m = Sequential([Dense(1, input_dim=1)])
print(m.summary())
lines = []
m.summary(print_fn=lambda x: lines.append(x))
assert any('Total params: 2' in line for line in lines)
