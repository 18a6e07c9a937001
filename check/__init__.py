"""May we send? The question every campaign and agent asks, and what stands behind the answer."""
