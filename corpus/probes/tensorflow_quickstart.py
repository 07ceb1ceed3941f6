"""TensorFlow's quickstart, on few and random data."""

import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import tensorflow as tf

tf.keras.utils.set_random_seed(1)
x, y = tf.random.uniform((64, 28, 28)), tf.random.uniform((64,), maxval=10, dtype=tf.int64)
model = tf.keras.models.Sequential(
    [
        tf.keras.layers.Input((28, 28)),
        tf.keras.layers.Flatten(),
        tf.keras.layers.Dense(32, activation="relu"),
        tf.keras.layers.Dropout(0.2),
        tf.keras.layers.Dense(10),
    ]
)
loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile(optimizer="adam", loss=loss, metrics=["accuracy"])
model.fit(x, y, epochs=1, verbose=0)
print(model.predict(x, verbose=0).shape, len(model.evaluate(x, y, verbose=0)))
model.save("model.keras")
print(tf.keras.models.load_model("model.keras").count_params())
