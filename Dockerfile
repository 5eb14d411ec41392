# The page on a plain CPU, as a Space of kind docker runs it too.
#   docker build -t aigc-demo . && docker run --rm -p 7860:7860 aigc-demo
# PyPI's torch is the CUDA build; with PyTorch's own index of CPU builds the image is far smaller:
#   docker build --build-arg PIP_EXTRA_INDEX_URL=... -t aigc-demo .
FROM python:3.12-slim

RUN useradd --create-home --uid 1000 user
WORKDIR /home/user/app

ARG PIP_EXTRA_INDEX_URL
COPY requirements.txt ./
RUN pip install --no-cache-dir -r requirements.txt

COPY app.py ./
COPY aigc_demo aigc_demo
COPY weights weights

USER user
ENV GRADIO_SERVER_NAME=0.0.0.0 GRADIO_SERVER_PORT=7860 PYTHONUNBUFFERED=1
EXPOSE 7860
CMD ["python", "app.py"]
